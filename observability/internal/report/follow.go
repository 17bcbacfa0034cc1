package report

import (
	"maps"
	"slices"
	"time"

	"example.com/dice/observability/internal/store"
)

// complete is how long after its end a trace has arrived completely, because services buffer spans for a second.
const complete = 2 * time.Second

// Follower finds the traces of a store that have become complete. Only one can follow a store.
type Follower struct {
	store   *store.Store
	pending map[string]time.Time // when the last span of a trace ended, by the trace's ID
}

// Follow returns a follower of a store.
func Follow(s *store.Store) *Follower { return &Follower{s, make(map[string]time.Time)} }

// Skip passes over the traces that are in the store.
func (f *Follower) Skip() {
	f.store.Changed()
	clear(f.pending)
}

// Completed returns the traces that have become complete since the last call, in the order in which they began. A trace to which
// something is added later, because spans are late or a caller reuses its ID, is returned again.
func (f *Follower) Completed() []Trace {
	maps.Copy(f.pending, f.store.Changed())
	var all []Trace
	for id, end := range f.pending {
		if time.Since(end) < complete {
			continue
		}
		delete(f.pending, id)
		if t := f.store.Trace(id); len(t.Spans) > 0 { // it has not been forgotten
			all = append(all, New(t.ID, slices.Clone(t.Spans), slices.Clone(t.Records)))
		}
	}
	return sorted(all)
}
