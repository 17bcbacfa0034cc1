package store

import (
	"slices"
	"time"
)

// Trace contains the spans and log records with the same trace ID, in the order of their arrival. The log records without a trace have an
// empty ID and are in one trace too.
type Trace struct {
	ID      string
	Spans   []Span
	Records []Record
}

// end is when the last span ended.
func (t Trace) end() time.Time {
	var end time.Time
	for _, span := range t.Spans {
		if span.End.After(end) {
			end = span.End
		}
	}
	return end
}

// traces are the spans and log records of a store, so that it can forget whole traces. Its methods are called under the store's lock.
type traces struct {
	byID      map[string]*Trace
	ids       []string // in the order of their arrival
	size      int      // in spans and log records
	changed   map[string]bool
	forgotten int
}

// get returns the trace with an ID, to add something to it.
func (t *traces) get(id string) *Trace {
	if t.byID == nil {
		t.byID, t.changed = make(map[string]*Trace), make(map[string]bool)
	}
	if t.byID[id] == nil {
		t.byID[id] = &Trace{ID: id}
		t.ids = append(t.ids, id)
	}
	t.changed[id] = true
	t.size++
	return t.byID[id]
}

// forget removes the oldest traces until no more than most spans and log records are left.
func (t *traces) forget(most int) {
	for t.size > most {
		oldest := t.byID[t.ids[0]]
		t.size -= len(oldest.Spans) + len(oldest.Records)
		t.ids = t.ids[1:]
		delete(t.byID, oldest.ID)
		delete(t.changed, oldest.ID)
		t.forgotten++
	}
}

// Traces returns all traces in the order of their arrival. The caller must not change their spans and log records.
func (s *Store) Traces() []Trace {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Trace, len(s.traces.ids))
	for i, id := range s.traces.ids {
		all[i] = s.traces.byID[id].clip()
	}
	return all
}

// Changed returns for each trace with spans to which something was added since the last call when its last span ended. It takes time
// only for these.
func (s *Store) Changed() map[string]time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	ends := make(map[string]time.Time, len(s.traces.changed))
	for id := range s.traces.changed {
		if t := s.traces.byID[id]; len(t.Spans) > 0 {
			ends[id] = t.end()
		}
	}
	clear(s.traces.changed)
	return ends
}

// Trace returns the trace with an ID, or an empty one if the store has none. The caller must not change its spans and log records.
func (s *Store) Trace(id string) Trace {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.traces.byID[id]; t != nil {
		return t.clip()
	}
	return Trace{}
}

// clip returns the trace as it is now: what is added later is not within the slices.
func (t *Trace) clip() Trace { return Trace{t.ID, slices.Clip(t.Spans), slices.Clip(t.Records)} }

// Forgotten returns how many traces the store has forgotten, because it keeps [Most] spans and log records.
func (s *Store) Forgotten() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.traces.forgotten
}
