package checklist

import (
	"fmt"
	"slices"
	"strings"

	"example.com/dice/observability/internal/declared"
)

// alsoSeen returns the spans, metrics, log records and attributes that the stage does not declare.
func (e *evidence) alsoSeen() []string {
	t := e.want
	found := make(map[string]bool)
	extra := func(what, service string, got map[string]string, want declared.Attributes) {
		for name := range got {
			if !slices.Contains(want.Always, name) && !slices.Contains(want.Maybe, name) {
				found[fmt.Sprintf("%s: attribute %s of %s", service, name, what)] = true
			}
		}
	}
	for _, got := range e.Spans {
		i := slices.IndexFunc(t.Spans, func(want declared.Span) bool {
			return want.Service == got.Service && want.Name == got.Name && want.Kind == got.Kind
		})
		if i < 0 {
			found[fmt.Sprintf("%s: span %q (%s)", got.Service, got.Name, got.Kind)] = true
			continue
		}
		extra(fmt.Sprintf("span %q", got.Name), got.Service, got.Attributes, t.Spans[i].Attributes)
	}
	for _, got := range e.Records {
		i := slices.IndexFunc(t.Logs, func(want declared.Log) bool { return want.Service == got.Service && want.Message == got.Message })
		if i < 0 {
			found[fmt.Sprintf("%s: log record %q", got.Service, got.Message)] = true
			continue
		}
		extra(fmt.Sprintf("log record %q", got.Message), got.Service, got.Attributes, t.Logs[i].Attributes)
	}
	for _, got := range e.Points {
		i := slices.IndexFunc(t.Metrics, func(want declared.Metric) bool { return want.Name == got.Name })
		if i < 0 {
			found[fmt.Sprintf("%s: metric %s", got.Service, got.Name)] = true
		}
	}
	var lines []string
	for line := range found {
		if !strings.HasPrefix(line, "traffic: ") {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}
