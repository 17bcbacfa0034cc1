package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/lipgloss/table"

	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/store"
)

// report returns a one-screen summary of a run: two traces, the requests by route, and the dice.
func report(s *store.Store) string {
	all := traces(s)
	var out strings.Builder
	if len(all) == 0 {
		return "\nNo trace arrived.\n"
	}
	slowest := slices.MaxFunc(all, func(a, b trace) int { return int(a.duration() - b.duration()) })
	fmt.Fprintf(&out, "\n%s %s\n%s", bold.Render("The slowest request"), faint.Render(slowest.id), slowest)
	if i := slices.IndexFunc(all, trace.failed); i >= 0 {
		fmt.Fprintf(&out, "\n%s %s\n%s", bold.Render("A failed request"), faint.Render(all[i].id), all[i])
	}
	fmt.Fprintf(&out, "\n%s\n%s\n", bold.Render("Requests by service and route"), requests(s.Spans()))
	fmt.Fprintf(&out, "\n%s\n%s\n", bold.Render("Dice rolled"), dice(s.Points()))
	if records := s.Records(); slices.ContainsFunc(records, elsewhere) {
		fmt.Fprintf(&out, "\n%s\n%s\n", bold.Render("Log records by tenant"), tenants(records))
	}
	return out.String()
}

func newTable(headers ...string) *table.Table {
	return table.New().Border(lipgloss.NormalBorder()).BorderStyle(faint).Headers(headers...).
		StyleFunc(func(row, column int) lipgloss.Style {
			style := lipgloss.NewStyle().Padding(0, 1)
			if row == table.HeaderRow {
				style = style.Bold(true)
			}
			if column > 0 {
				style = style.Align(lipgloss.Right)
			}
			return style
		})
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
	t := newTable("route", "requests", "errors", "p50", "p95")
	for _, route := range slices.Sorted(maps.Keys(durations)) {
		d := durations[route]
		slices.Sort(d)
		t.Row(route, strconv.Itoa(len(d)), strconv.Itoa(errors[route]), milliseconds(d[len(d)/2]), milliseconds(d[len(d)*95/100]))
	}
	return t.String()
}

// dice shows how often each face of each die came up, from the counter dice.rolls.
func dice(points []store.Point) string {
	counts := make(map[string]map[string]int) // by die, by value or outcome
	columns := make(map[string]bool)
	for _, point := range points {
		if point.Name != "dice.rolls" {
			continue
		}
		die, outcome := point.Attributes["die.identifier"], point.Attributes["die.value"]
		if outcome == "" {
			outcome = point.Attributes["dice.roll.outcome"]
		}
		if counts[die] == nil {
			counts[die] = make(map[string]int)
		}
		counts[die][outcome] += int(point.Value)
		columns[outcome] = true
	}
	headers := slices.Sorted(maps.Keys(columns))
	t := newTable(append([]string{"die"}, headers...)...)
	for _, die := range slices.Sorted(maps.Keys(counts)) {
		row := []string{die}
		for _, outcome := range headers {
			row = append(row, strconv.Itoa(counts[die][outcome]))
		}
		t.Row(row...)
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
	t := newTable("log record", "tenant", "records")
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
