package declared

import (
	"slices"
	"testing"

	"example.com/dice/observability/internal/store"
)

// TestFindings shows that a comparison can fail, in each way.
func TestFindings(t *testing.T) {
	declared := Telemetry{
		SchemaURL: "url", Types: map[string]Type{"n": {Name: "int"}, "e": {Name: "string", Values: []string{"on", "off"}}},
		Spans:   []Span{{Name: "a", Service: "s", Scope: "c", Kind: "server", Parent: Names{"none"}, Attributes: Attributes{Always: []string{"x"}, Maybe: []string{"n", "e", "v"}, Values: map[string][]string{"v": {"1"}}}}},
		Metrics: []Metric{{Name: "m", Service: []string{"s"}, Scope: "c", Type: "sum", Unit: "s"}},
		Logs:    []Log{{Message: "l", Service: "s", Scope: "c", Level: "INFO"}},
	}
	span := store.Span{ID: "1", Name: "a", Service: "s", Scope: "c", Kind: "server", Attributes: map[string]string{"x": "1"}}
	point := store.Point{Name: "m", Service: "s", Scope: "c", Type: "sum", Unit: "s"}
	record := store.Record{Message: "l", Service: "s", Scope: "c", Level: "INFO"}

	tests := map[string]struct {
		change func()
		want   string
	}{
		"nothing":         {func() {}, ""},
		"name of span":    {func() { span.Name = "b" }, `span "b" of s in scope c, kind server is not declared`},
		"scope of span":   {func() { span.Scope = "d" }, `span "a" of s in scope d, kind server is not declared`},
		"lacks attribute": {func() { span.Attributes = nil }, `span "a" of s in scope c lacks attribute x`},
		"other attribute": {func() { span.Attributes = map[string]string{"x": "", "y": ""} }, `span "a" of s in scope c has attribute y, which is not declared`},
		"status":          {func() { span.Failed = true }, `span "a" of s in scope c: status "error", declared is "unset"`},
		"type": {func() {
			span.Attributes, span.Types = map[string]string{"x": "1", "n": "7"}, map[string]string{"n": "double"}
		}, `span "a" of s in scope c: type of n "double", declared is "int"`},
		"value": {func() {
			span.Attributes, span.Types = map[string]string{"x": "1", "e": "up"}, map[string]string{"e": "string"}
		}, `span "a" of s in scope c: e "up", declared is "on, off"`},
		"own value": {func() {
			span.Attributes = map[string]string{"x": "1", "v": "2"}
		}, `span "a" of s in scope c: v "2", declared is "1"`},
		"bounds":           {func() { point.Bounds = []float64{1} }, `metric m of s in scope c: bounds "[1]", declared is "[]"`},
		"event":            {func() { record.Event = "e" }, `log record "l" of s in scope c: event "e", declared is ""`},
		"name of metric":   {func() { point.Name = "n" }, `metric n of s in scope c is not declared`},
		"metric missing":   {func() { point.Name = "n" }, `metric "m" of s is declared and was not seen`},
		"unit of metric":   {func() { point.Unit = "ms" }, `metric m of s in scope c: unit "ms", declared is "s"`},
		"type of metric":   {func() { point.Type = "gauge" }, `metric m of s in scope c: type "gauge", declared is "sum"`},
		"resource":         {func() { point.Resource = map[string]string{"z": ""} }, `metric m of s in scope c, resource has attribute z, which is not declared`},
		"message of a log": {func() { record.Message = "k" }, `log record "k" of s in scope c is not declared`},
		"level of a log":   {func() { record.Level = "WARN" }, `log record "l" of s in scope c: level "WARN", declared is "INFO"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			oldSpan, oldPoint, oldRecord := span, point, record
			defer func() { span, point, record = oldSpan, oldPoint, oldRecord }()
			test.change()
			found := newFindings()
			declared.compareSpans([]store.Span{span}, found)
			declared.compareMetrics([]store.Point{point}, found)
			declared.compareLogs([]store.Record{record}, found)
			declared.findMissing(found)
			got := found.differences()
			if test.want == "" && len(got) > 0 || test.want != "" && !slices.Contains(got, test.want) {
				t.Errorf("found %q, want %q", got, test.want)
			}
		})
	}
}
