// Package report formats the content of a store for a terminal: traces as trees, and tables.
package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"

	"example.com/dice/observability/internal/store"
)

const operational = "dice" // the default tenant of log records

const (
	nameWidth    = 36 // with the bar, 80 columns
	barWidth     = 32
	mostChildren = 20 // shown of one span; those with an error are always shown
)

// Styles of text.
var (
	Faint = lipgloss.NewStyle().Faint(true)
	Bold  = lipgloss.NewStyle().Bold(true)
)

var (
	failed = lipgloss.NewStyle().Foreground(lipgloss.Color("9"))
	normal = lipgloss.NewStyle().Foreground(lipgloss.Color("12"))
)

// Trace contains the spans and log records with the same trace ID.
type Trace struct {
	ID      string
	spans   []store.Span
	records []store.Record
}

// Traces returns the store's traces, in the order in which they began.
func Traces(s *store.Store) []Trace {
	var all []Trace
	for _, t := range s.Traces() {
		if len(t.Spans) > 0 {
			all = append(all, New(t.ID, slices.Clone(t.Spans), slices.Clone(t.Records)))
		}
	}
	return sorted(all)
}

func sorted(all []Trace) []Trace {
	slices.SortFunc(all, func(a, b Trace) int {
		return cmp.Or(a.start().Compare(b.start()), strings.Compare(a.ID, b.ID))
	})
	return all
}

// New returns the trace of spans and log records with this trace ID. There must be a span.
func New(id string, spans []store.Span, records []store.Record) Trace {
	slices.SortStableFunc(spans, func(a, b store.Span) int { return a.Start.Compare(b.Start) })
	slices.SortStableFunc(records, func(a, b store.Record) int { return a.Time.Compare(b.Time) })
	return Trace{id, spans, records}
}

func (t Trace) start() time.Time { return t.spans[0].Start }

// Duration is the time from the start of the first span to the end of the last.
func (t Trace) Duration() time.Duration {
	end := t.spans[0].End
	for _, span := range t.spans {
		if span.End.After(end) {
			end = span.End
		}
	}
	return end.Sub(t.start())
}

// Failed reports whether any of the spans failed.
func (t Trace) Failed() bool {
	return slices.ContainsFunc(t.spans, func(s store.Span) bool { return s.Failed })
}

// Origin returns the service and name of the innermost failed span, which is the failed span that began last, or "" if none failed.
func (t Trace) Origin() string {
	for _, span := range slices.Backward(t.spans) {
		if span.Failed {
			return span.Service + ": " + span.Name
		}
	}
	return ""
}

// roots returns the spans whose parent is not in the trace.
func (t Trace) roots() []store.Span {
	ids := make(map[string]bool)
	for _, span := range t.spans {
		ids[span.ID] = true
	}
	return slices.DeleteFunc(slices.Clone(t.spans), func(s store.Span) bool { return ids[s.Parent] })
}

// String draws the trace as a tree: each span with its duration and a bar, each log record below its span.
func (t Trace) String() string {
	var out strings.Builder
	for _, root := range t.roots() {
		t.draw(&out, root, 0)
	}
	return out.String()
}

func (t Trace) draw(out *strings.Builder, span store.Span, depth int) {
	indent := strings.Repeat("  ", depth)
	name := lipgloss.NewStyle().Width(nameWidth).MaxHeight(1).Render(indent + span.Service + ": " + span.Name)
	style := normal
	if span.Failed {
		style = failed
	}
	fmt.Fprintf(out, "%s %9s  %s\n", name, Milliseconds(span.Duration()), style.Render(t.bar(span)))
	if span.Failed && span.Message != "" {
		fmt.Fprintf(out, "%s  %s\n", indent, failed.Render("error: "+span.Message))
	}
	records := slices.DeleteFunc(slices.Clone(t.records), func(r store.Record) bool { return r.SpanID != span.ID })
	drawn, left := 0, 0
	for _, child := range t.spans {
		if child.Parent != span.ID {
			continue
		}
		if drawn++; drawn > mostChildren && !child.Failed {
			left++
			continue
		}
		for len(records) > 0 && records[0].Time.Before(child.Start) {
			fmt.Fprintf(out, "%s  %s\n", indent, Faint.Render(line(records[0])))
			records = records[1:]
		}
		t.draw(out, child, depth+1)
	}
	if left > 0 {
		fmt.Fprintf(out, "%s  %s\n", indent, Faint.Render(fmt.Sprintf("… and %d more", left)))
	}
	for _, record := range records {
		fmt.Fprintf(out, "%s  %s\n", indent, Faint.Render(line(record)))
	}
}

// bar draws the span's position within the trace.
func (t Trace) bar(span store.Span) string {
	whole := float64(max(t.Duration(), 1))
	before := int(float64(span.Start.Sub(t.start())) / whole * barWidth)
	length := max(1, int(float64(span.Duration())/whole*barWidth+0.5))
	return strings.Repeat(" ", min(before, barWidth-1)) + strings.Repeat("█", min(length, barWidth-min(before, barWidth-1)))
}

// Elsewhere reports whether the collector sent a record to a tenant other than the default one. Records that did not pass the
// collector have none.
func Elsewhere(record store.Record) bool { return record.Tenant != operational && record.Tenant != "" }

// line formats a log record for people.
func line(record store.Record) string {
	words := []string{record.Level, record.Message}
	for _, key := range slices.Sorted(maps.Keys(record.Attributes)) {
		if !strings.HasPrefix(key, "exception.") {
			words = append(words, key+"="+record.Attributes[key])
		}
	}
	if message := record.Attributes["exception.message"]; message != "" {
		words = append(words, strconv.Quote(message))
	}
	if Elsewhere(record) {
		words = append(words, "→ "+record.Tenant)
	}
	return strings.Join(words, " ")
}

// Milliseconds formats a duration for people.
func Milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}
