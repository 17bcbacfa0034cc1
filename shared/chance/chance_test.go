package chance_test

import (
	"sync"
	"testing"

	"example.com/dice/shared/chance"
)

func TestSameSeedGivesSameNumbers(t *testing.T) {
	a, b, other := chance.New(1), chance.New(1), chance.New(2)
	same := true
	for range 100 {
		x, y, z := a.Uint64(), b.Uint64(), other.Uint64()
		if x != y {
			t.Fatalf("%d and %d from the same seed", x, y)
		}
		same = same && x == z
	}
	if same {
		t.Error("seeds 1 and 2 give the same numbers")
	}
}

func TestConcurrentUseGivesEachNumberOnce(t *testing.T) {
	const goroutines, each = 8, 1000
	generator := chance.New(1)
	var seen sync.Map
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() {
			for range each {
				if _, twice := seen.LoadOrStore(generator.Uint64(), true); twice {
					t.Error("a number came twice")
				}
			}
		})
	}
	group.Wait()
}
