// Package chance makes random number generators that can be repeated.
package chance

import (
	"math/rand/v2"
	"sync"
)

// New returns a generator that gives the same numbers for the same seed. It is safe for concurrent use,
// though the scheduler then decides in which order goroutines get their numbers.
func New(seed uint64) *rand.Rand {
	return rand.New(&lockedSource{source: rand.NewPCG(seed, seed)})
}

type lockedSource struct {
	mu     sync.Mutex
	source rand.Source
}

func (s *lockedSource) Uint64() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.source.Uint64()
}
