// Package lineage remembers which spans arrived, and which did not although something refers to them. Its memory is bounded.
package lineage

import (
	"cmp"
	"encoding/binary"
	"iter"
	"math/bits"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

const (
	generation  = 1_000_000 // spans; at least as many are remembered, and at most twice as many
	mostMissing = 100_000   // spans
	mostPerSpan = 8         // kinds of references to one missing span
)

// Kind is what refers to a span.
type Kind string

// The kinds.
const (
	Child    Kind = "child span"
	Record   Kind = "log record"
	Exemplar Kind = "exemplar"
)

// Reference is a reference to a span.
type Reference struct {
	Kind    Kind
	Service string // whose data refers to the span
	Name    string // of the child, of the metric, or the body of the log record
	Local   bool   // the span is of the same process
	Trace   pcommon.TraceID
	Span    pcommon.SpanID // that is referred to
	At      time.Time      // when it arrived
}

// Set is a set of spans. Its zero value is empty and ready to use. It is not safe for concurrent use.
type Set struct {
	recent, older map[uint64]struct{}
	missing       map[uint64][]Reference
	generation    int // for tests
}

// Add adds a span, and reports whether it is new.
func (s *Set) Add(trace pcommon.TraceID, span pcommon.SpanID) bool {
	id := key(trace, span)
	delete(s.missing, id)
	if s.has(id) {
		return false
	}
	if s.recent == nil || len(s.recent) >= cmp.Or(s.generation, generation) {
		s.recent, s.older = make(map[uint64]struct{}), s.recent
	}
	s.recent[id] = struct{}{}
	return true
}

// Has reports whether a span arrived.
func (s *Set) Has(trace pcommon.TraceID, span pcommon.SpanID) bool { return s.has(key(trace, span)) }

func (s *Set) has(id uint64) bool {
	if _, ok := s.recent[id]; ok {
		return true
	}
	_, ok := s.older[id]
	return ok
}

// Refer notes a reference to a span, unless that arrived.
func (s *Set) Refer(reference Reference) {
	id := key(reference.Trace, reference.Span)
	if s.has(id) {
		return
	}
	known := s.missing[id]
	if len(known) >= mostPerSpan || (known == nil && len(s.missing) >= mostMissing) {
		return
	}
	for _, other := range known {
		if other.Kind == reference.Kind && other.Service == reference.Service {
			return
		}
	}
	if s.missing == nil {
		s.missing = make(map[uint64][]Reference)
	}
	s.missing[id] = append(known, reference)
}

// Missing returns the references to spans that did not arrive, at most one of each kind and service for one span.
func (s *Set) Missing() iter.Seq[Reference] {
	return func(yield func(Reference) bool) {
		for _, references := range s.missing {
			for _, reference := range references {
				if !yield(reference) {
					return
				}
			}
		}
	}
}

// key hashes the ids, which are random, so that 64 bits are enough for millions of spans.
func key(trace pcommon.TraceID, span pcommon.SpanID) uint64 {
	const odd = 0x9e3779b97f4a7c15
	hash := binary.LittleEndian.Uint64(trace[:8]) * odd
	hash = bits.RotateLeft64(hash^binary.LittleEndian.Uint64(trace[8:]), 29) * odd
	return bits.RotateLeft64(hash^binary.LittleEndian.Uint64(span[:]), 29) * odd
}
