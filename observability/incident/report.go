package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"

	"example.com/dice/observability/internal/compose"
	show "example.com/dice/observability/internal/report"
	"example.com/dice/observability/internal/store"
)

const columns = 120 // of tables and traces, whatever the output is

// describe returns the report on a run. Its sections are the same for all faults, so that they give none away.
func describe(s *store.Store) string {
	var out strings.Builder
	section := func(title, explanation, content string) {
		fmt.Fprintf(&out, "\n%s\n", show.Bold.Render(title))
		if explanation != "" {
			fmt.Fprintln(&out, wrap(explanation, ""))
		}
		for line := range strings.Lines(strings.TrimRight(content, " \n")) {
			fmt.Fprintln(&out, strings.TrimRight(line, " \n"))
		}
	}
	spans := s.Spans()
	section("Spans", "Roots have no parent. Orphans have a parent that never arrived.", spanTable(spans))
	section("Calls between services", "A call counts as answered if its server span arrived too, as a child of the client span.", callTable(spans))
	section("Metrics", "The p95 of a histogram is the estimate that Prometheus would make from its buckets. "+
		"Overflow is the part of the value that the SDK put into the one series otel.metric.overflow.", metricTable(s.Points()))
	section("Dice", "Rolls by die and result, as counted by dice.rolls.", show.Dice(s.Points()))
	section("Log records", "", recordTable(s.Records()))
	for _, example := range examples(show.Traces(s), interrupted(spans)) {
		section(example.title, "", lipgloss.NewStyle().Width(columns).Render(example.trace.String()))
	}
	return out.String()
}

// spanGroup is the key by which spans are counted.
type spanGroup struct{ service, name, kind, die string }

func (g spanGroup) words() []string { return []string{g.service, g.name, g.kind, g.die} }

func spanTable(spans []store.Span) string {
	ids := make(map[string]bool)
	groups := make(map[spanGroup][]store.Span)
	for _, span := range spans {
		ids[span.ID] = true
		group := spanGroup{span.Service, span.Name, span.Kind, dieOf(span)}
		groups[group] = append(groups[group], span)
	}
	var rows [][]string
	for _, group := range slices.SortedFunc(maps.Keys(groups), func(a, b spanGroup) int { return slices.Compare(a.words(), b.words()) }) {
		roots, orphans, errors := 0, 0, 0
		for _, span := range groups[group] {
			switch {
			case span.Parent == "":
				roots++
			case !ids[span.Parent]:
				orphans++
			}
			if span.Failed {
				errors++
			}
		}
		d := durations(groups[group])
		rows = append(rows, append(group.words(), strconv.Itoa(len(d)), strconv.Itoa(roots), strconv.Itoa(orphans), strconv.Itoa(errors),
			show.Milliseconds(show.Quantile(d, 0.5)), show.Milliseconds(show.Quantile(d, 0.95))))
	}
	return draw(4, []string{"service", "span", "kind", "die", "spans", "roots", "orphans", "errors", "median", "p95"}, rows)
}

// dieOf returns the die that a span is about, or "" if the span does not name one.
func dieOf(span store.Span) string {
	if die := span.Attributes["die.identifier"]; die != "" {
		return die
	}
	query := span.Attributes["url.query"]
	if full, err := url.Parse(span.Attributes["url.full"]); query == "" && err == nil {
		query = full.RawQuery
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	return cmp.Or(values.Get("die"), values.Get("identifier"))
}

func callTable(spans []store.Span) string {
	type call struct{ caller, name string }
	servers := make(map[string]store.Span) // by parent
	for _, span := range spans {
		if span.Kind == "server" && span.Parent != "" {
			servers[span.Parent] = span
		}
	}
	clients, answers := make(map[call][]store.Span), make(map[call][]store.Span)
	for _, span := range spans {
		if span.Kind != "client" || span.Attributes["db.system.name"] != "" {
			continue
		}
		c := call{span.Service, span.Name}
		clients[c] = append(clients[c], span)
		if server, ok := servers[span.ID]; ok {
			answers[c] = append(answers[c], server)
		}
	}
	var rows [][]string
	for _, c := range slices.SortedFunc(maps.Keys(clients), func(a, b call) int {
		return cmp.Or(strings.Compare(a.caller, b.caller), strings.Compare(a.name, b.name))
	}) {
		callee, p95 := "?", "?"
		if found := answers[c]; len(found) > 0 {
			callee, p95 = found[0].Service, show.Milliseconds(show.Quantile(durations(found), 0.95))
		}
		rows = append(rows, []string{c.caller, c.name, callee, strconv.Itoa(len(clients[c])), strconv.Itoa(len(answers[c])),
			show.Milliseconds(show.Quantile(durations(clients[c]), 0.95)), p95})
	}
	return draw(3, []string{"caller", "call", "callee", "calls", "answered", "p95 of the caller", "p95 of the callee"}, rows)
}

// durations returns the sorted durations of spans.
func durations(spans []store.Span) []time.Duration {
	var all []time.Duration
	for _, span := range spans {
		all = append(all, span.Duration())
	}
	slices.Sort(all)
	return all
}

// interesting leaves out metrics of the runtime and of the SDK, and those that the collector derives from spans.
func interesting(name string) bool {
	return !strings.HasPrefix(name, "go.") && !strings.HasPrefix(name, "traces") && !strings.HasSuffix(name, ".body.size") &&
		(!strings.HasPrefix(name, "otel.sdk.") || strings.HasSuffix(name, ".processed"))
}

func metricTable(points []store.Point) string {
	type metric struct{ service, name, unit, part string }
	groups := make(map[metric][]store.Point)
	for _, point := range points {
		if interesting(point.Name) {
			part := cmp.Or(point.Attributes["error.type"], point.Attributes["db.client.connection.state"])
			m := metric{point.Service, point.Name, point.Unit, part}
			groups[m] = append(groups[m], point)
		}
	}
	var rows [][]string
	for _, m := range slices.SortedFunc(maps.Keys(groups), func(a, b metric) int {
		return cmp.Or(strings.Compare(a.service, b.service), strings.Compare(a.name, b.name), strings.Compare(a.part, b.part))
	}) {
		all := groups[m]
		mean, p95 := "", ""
		if total := merge(all); total.Count > 0 {
			mean, p95 = withUnit(total.Value/float64(total.Count), m.unit), withUnit(estimate(total, 0.95), m.unit)
		}
		rows = append(rows, []string{m.service, m.name, m.part, strconv.Itoa(len(all)), amount(all), amount(overflown(all)), mean, p95})
	}
	return draw(3, []string{"service", "metric", "error, state", "series", "value", "overflow", "mean", "p95"}, rows)
}

func overflown(points []store.Point) []store.Point {
	return slices.DeleteFunc(slices.Clone(points), func(p store.Point) bool { return p.Attributes["otel.metric.overflow"] != "true" })
}

// amount returns the sum of counters and gauges, or the number of values in histograms, formatted.
func amount(points []store.Point) string {
	sum := 0.0
	for _, p := range points {
		if p.Type == "histogram" {
			sum += float64(p.Count)
		} else {
			sum += p.Value
		}
	}
	if len(points) == 0 {
		return ""
	}
	return strconv.FormatFloat(math.Round(sum*1000)/1000, 'f', -1, 64)
}

// merge adds up histograms with the same buckets.
func merge(points []store.Point) store.Point {
	total := store.Point{Bounds: points[0].Bounds, Buckets: make([]uint64, len(points[0].Buckets))}
	for _, p := range points {
		if p.Type != "histogram" {
			continue
		}
		total.Count += p.Count
		total.Value += p.Value
		for i := range min(len(total.Buckets), len(p.Buckets)) {
			total.Buckets[i] += p.Buckets[i]
		}
	}
	return total
}

// estimate returns a quantile of a histogram, estimated as Prometheus does: values are assumed to be spread evenly within a bucket.
func estimate(h store.Point, q float64) float64 {
	rank, below := q*float64(h.Count), 0.0
	for i, bound := range h.Bounds {
		in := float64(h.Buckets[i])
		if below+in >= rank {
			from := 0.0
			if i > 0 {
				from = h.Bounds[i-1]
			}
			return from + (bound-from)*(rank-below)/in
		}
		below += in
	}
	return h.Bounds[len(h.Bounds)-1]
}

func withUnit(value float64, unit string) string {
	if unit == "s" {
		return show.Milliseconds(time.Duration(value * float64(time.Second)))
	}
	return strconv.FormatFloat(value, 'f', 1, 64)
}

func recordTable(records []store.Record) string {
	type row struct{ service, level, message, tenant, attributes string }
	counts := make(map[row]int)
	for _, record := range records {
		keys := slices.Sorted(maps.Keys(record.Attributes))
		counts[row{record.Service, record.Level, record.Message, record.Tenant, strings.Join(keys, " ")}]++
	}
	var rows [][]string
	for _, r := range slices.SortedFunc(maps.Keys(counts), func(a, b row) int {
		return cmp.Or(strings.Compare(a.service, b.service), strings.Compare(a.level, b.level), strings.Compare(a.message, b.message),
			strings.Compare(a.tenant, b.tenant), strings.Compare(a.attributes, b.attributes))
	}) {
		rows = append(rows, []string{r.service, r.level, r.message, r.tenant, r.attributes, strconv.Itoa(counts[r])})
	}
	return draw(5, []string{"service", "level", "message", "tenant", "attributes", "records"}, rows)
}

// draw draws a table at most columns wide, and cuts nothing off. Of its first columns, as many as texts says, it breaks the texts into
// lines where necessary, from the last such column to the first.
func draw(texts int, headers []string, rows [][]string) string {
	widths, total := make([]int, len(headers)), 1
	for i := range headers {
		for _, row := range append(rows, headers) {
			widths[i] = max(widths[i], lipgloss.Width(row[i]))
		}
		total += widths[i] + 3 // two blanks and a border
	}
	t := show.NewTable(texts, headers...)
	for i := texts - 1; i >= 0; i-- {
		width := max(lipgloss.Width(headers[i]), widths[i]-max(0, total-columns))
		total -= widths[i] - width
		for _, row := range rows {
			row[i] = breakText(row[i], width)
		}
	}
	return t.Rows(rows...).String()
}

// breakText breaks a text into lines after blanks, dots and slashes, or anywhere if there are none.
func breakText(text string, width int) string {
	var lines []string
	left := []rune(text)
	for len(left) > width {
		end := width
		if i := strings.LastIndexAny(string(left[:width]), " ./"); i > 0 {
			end = len([]rune(string(left[:width])[:i+1]))
		}
		lines, left = append(lines, strings.TrimRight(string(left[:end]), " ")), left[end:]
	}
	return strings.Join(append(lines, string(left)), "\n")
}

type example struct {
	title string
	trace show.Trace
}

// interrupted returns the traces of requests that were canceled when the traffic generator was stopped.
func interrupted(spans []store.Span) map[string]bool {
	traces := make(map[string]bool)
	for _, span := range spans {
		if span.Service == compose.Traffic && span.Attributes["error.type"] == "os/signal.signalError" {
			traces[span.TraceID] = true
		}
	}
	return traces
}

// examples returns a rather slow trace, the slowest trace, and one failed trace for each place of failure. It leaves out the traces
// in without.
func examples(traces []show.Trace, without map[string]bool) []example {
	sorted := slices.DeleteFunc(slices.Clone(traces), func(t show.Trace) bool { return without[t.ID] })
	if len(sorted) == 0 {
		return nil
	}
	slices.SortFunc(sorted, func(a, b show.Trace) int { return cmp.Compare(a.Duration(), b.Duration()) })
	slowest := sorted[len(sorted)-1]
	all := []example{
		{"A trace slower than three quarters of the traces", sorted[len(sorted)*3/4]},
		{"The slowest trace", slowest},
	}
	seen := make(map[string]bool)
	for _, t := range sorted {
		if place := t.Origin(); place != "" && !seen[place] && t.ID != slowest.ID {
			seen[place] = true
			all = append(all, example{"A trace that failed at " + place, t})
		}
	}
	return all
}
