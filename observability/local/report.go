package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/dice/observability/internal/compose"
	show "example.com/dice/observability/internal/report"
	"example.com/dice/observability/internal/store"
)

// report returns a one-screen summary of a run: two traces, the requests by route, and the dice.
func report(s *store.Store) string {
	all := show.Traces(s)
	var out strings.Builder
	if len(all) == 0 {
		return "\nNo trace arrived.\n"
	}
	slowest := slices.MaxFunc(all, func(a, b show.Trace) int { return int(a.Duration() - b.Duration()) })
	fmt.Fprintf(&out, "\n%s %s\n%s", show.Bold.Render("The slowest request"), show.Faint.Render(slowest.ID), slowest)
	if i := slices.IndexFunc(all, show.Trace.Failed); i >= 0 {
		fmt.Fprintf(&out, "\n%s %s\n%s", show.Bold.Render("A failed request"), show.Faint.Render(all[i].ID), all[i])
	}
	fmt.Fprintf(&out, "\n%s\n%s\n", show.Bold.Render("Requests by service and route"), requests(s.Spans()))
	if forgotten := s.Forgotten(); forgotten > 0 {
		fmt.Fprintf(&out, "The %d oldest traces are left out: only the last %d spans and log records are kept in memory.\n", forgotten, store.Most)
	}
	fmt.Fprintf(&out, "\n%s\n%s\n", show.Bold.Render("Dice rolled"), show.Dice(s.Points()))
	if records := s.Records(); slices.ContainsFunc(records, show.Elsewhere) {
		fmt.Fprintf(&out, "\n%s\n%s\n", show.Bold.Render("Log records by tenant"), tenants(records))
	}
	return out.String()
}

// requests counts and times the server spans of each service and route.
func requests(spans []store.Span) string {
	durations := make(map[string][]time.Duration)
	errors := make(map[string]int)
	for _, span := range spans {
		if span.Kind != "server" {
			continue
		}
		route := span.Service + ": " + span.Name
		durations[route] = append(durations[route], span.Duration())
		if span.Failed {
			errors[route]++
		}
	}
	t := show.NewTable(1, "route", "requests", "errors", "p50", "p95")
	for _, route := range slices.Sorted(maps.Keys(durations)) {
		d := durations[route]
		slices.Sort(d)
		t.Row(route, strconv.Itoa(len(d)), strconv.Itoa(errors[route]), show.Milliseconds(show.Quantile(d, 0.5)), show.Milliseconds(show.Quantile(d, 0.95)))
	}
	return t.String()
}

// tenants counts the log records by Loki tenant and message.
func tenants(records []store.Record) string {
	type row struct{ tenant, record string }
	counts := make(map[row]int)
	for _, record := range records {
		counts[row{record.Tenant, record.Service + ": " + record.Message}]++
	}
	t := show.NewTable(1, "log record", "tenant", "records")
	for _, r := range slices.SortedFunc(maps.Keys(counts), func(a, b row) int {
		return cmp.Or(strings.Compare(a.tenant, b.tenant), strings.Compare(a.record, b.record))
	}) {
		t.Row(r.record, r.tenant, strconv.Itoa(counts[r]))
	}
	return t.String()
}

// invitation tells the user what to do while the stage is still running.
func invitation(s *compose.Stage) string {
	page := ""
	if url := s.URL("frontend"); url != "" {
		page = fmt.Sprintf("Open %s, or call the roll service:", url)
	}
	return fmt.Sprintf("\nThe stage is still running. Send it a request to see its trace here. Press Ctrl-C to stop.\n%s\n    curl '%s/roll?die=fair'\n\n", page, s.URL("roll"))
}
