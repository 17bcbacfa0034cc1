package lineage

import (
	"encoding/binary"
	"slices"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

func id(n int) (trace pcommon.TraceID, span pcommon.SpanID) {
	binary.BigEndian.PutUint64(trace[8:], uint64(n/10))
	binary.BigEndian.PutUint64(span[:], uint64(n))
	return trace, span
}

func TestSet(t *testing.T) {
	var set Set
	refer := func(n int, kind Kind, service string) {
		trace, span := id(n)
		set.Refer(Reference{Kind: kind, Service: service, Trace: trace, Span: span})
	}
	refer(1, Child, "a")
	refer(1, Child, "a")
	refer(1, Record, "a")
	refer(1, Child, "b")
	refer(2, Child, "a")
	if got := len(slices.Collect(set.Missing())); got != 4 {
		t.Errorf("%d references to missing spans, want 4", got)
	}
	if !set.Add(id(1)) || set.Add(id(1)) || !set.Has(id(1)) || set.Has(id(2)) {
		t.Error("span 1 is not known once")
	}
	refer(1, Child, "c")
	if got := slices.Collect(set.Missing()); len(got) != 1 || got[0].Service != "a" {
		t.Errorf("missing: %v", got)
	}
}

// TestSetIsBounded adds more than the set remembers.
func TestSetIsBounded(t *testing.T) {
	const few = 10_000
	set := Set{generation: few}
	const n = 2*few + 10
	for i := range n {
		if !set.Add(id(i)) {
			t.Fatalf("span %d is not new", i) // a collision of hashes
		}
	}
	if size := len(set.recent) + len(set.older); size > 2*few || !set.Has(id(n-few)) || set.Has(id(0)) {
		t.Errorf("%d spans are remembered, or the wrong ones", size)
	}
	for i := range mostMissing + 10 {
		trace, span := id(n + i)
		set.Refer(Reference{Trace: trace, Span: span})
	}
	if len(set.missing) != mostMissing {
		t.Errorf("%d missing spans are remembered", len(set.missing))
	}
}
