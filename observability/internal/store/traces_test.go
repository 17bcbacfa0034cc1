package store

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

func id(n int) (id pcommon.TraceID) {
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

// spansOf returns spans of a trace, as many as ends, which end at these times in seconds.
func spansOf(trace int, ends ...int64) ptrace.Traces {
	traces := ptrace.NewTraces()
	spans := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for _, end := range ends {
		span := spans.AppendEmpty()
		span.SetTraceID(id(trace))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(time.Unix(end, 0)))
	}
	return traces
}

func recordOf(trace int) plog.Logs {
	logs := plog.NewLogs()
	record := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	if trace != 0 {
		record.SetTraceID(id(trace))
	}
	return logs
}

func TestChanged(t *testing.T) {
	var s Store
	steps := []struct {
		name string
		add  func()
		want map[int]int64 // the ends of traces, in seconds
	}{
		{"nothing", func() {}, nil},
		{"two traces", func() { s.addTraces(spansOf(1, 5, 9, 7)); s.addTraces(spansOf(2, 3)) }, map[int]int64{1: 9, 2: 3}},
		{"nothing more", func() {}, nil},
		{"a late span", func() { s.addTraces(spansOf(1, 8)) }, map[int]int64{1: 9}},
		{"a late record", func() { s.addLogs("", recordOf(2)) }, map[int]int64{2: 3}},
		{"records without spans", func() { s.addLogs("", recordOf(0)); s.addLogs("", recordOf(3)) }, nil},
	}
	for _, step := range steps {
		step.add()
		got := s.Changed()
		if len(got) != len(step.want) {
			t.Errorf("%s: %v, want %v", step.name, got, step.want)
		}
		for trace, end := range step.want {
			if !got[id(trace).String()].Equal(time.Unix(end, 0)) {
				t.Errorf("%s: %v, want %v", step.name, got, step.want)
			}
		}
	}
	if spans, records := len(s.Spans()), len(s.Records()); spans != 5 || records != 3 {
		t.Errorf("%d spans and %d records, want 5 and 3", spans, records)
	}
}

// TestForget wants the oldest traces to go as a whole.
func TestForget(t *testing.T) {
	var s Store
	all := make([]int64, 1000)
	const traces = Most/1000 + 5
	for trace := range traces {
		s.addTraces(spansOf(trace+1, all...))
	}
	s.addTraces(spansOf(6, 1))        // to the oldest one that is left, which must go
	s.addLogs("", recordOf(traces+1)) // after the one before, too
	got := s.Traces()
	if len(got) != traces-5 || s.Forgotten() != 6 || got[0].ID != id(7).String() {
		t.Errorf("%d traces from %s on, %d forgotten; want %d, %s, 6", len(got), got[0].ID, s.Forgotten(), traces-5, id(7))
	}
	if last := got[len(got)-1]; len(last.Records) != 1 || last.ID != id(traces+1).String() {
		t.Errorf("the last trace is %v", last)
	}
	if spans := len(s.Spans()); spans != Most-1000 {
		t.Errorf("%d spans, want %d", spans, Most-1000)
	}
	if _, found := s.Changed()[id(6).String()]; found {
		t.Error("a trace that was forgotten counts as changed")
	}
	if forgotten := s.Trace(id(1).String()); len(forgotten.Spans) > 0 {
		t.Errorf("a forgotten trace has %d spans", len(forgotten.Spans))
	}
}

// TestTracesDoNotChange wants what was read to stay as it is when more arrives.
func TestTracesDoNotChange(t *testing.T) {
	var s Store
	s.addTraces(spansOf(1, 1))
	before := s.Trace(id(1).String())
	mine := append(before.Spans, Span{Name: "mine"}) //nolint:gocritic // the store must not see it
	s.addTraces(spansOf(1, 2))
	if len(before.Spans) != 1 || mine[1].Name != "mine" || slices.ContainsFunc(s.Spans(), func(span Span) bool { return span.Name == "mine" }) {
		t.Errorf("read %v, appended %v, stored %v", before.Spans, mine, s.Spans())
	}
}
