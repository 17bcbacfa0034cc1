package main

import (
	"errors"
	"testing"

	"example.com/dice/shared/chance"
)

// Critical values of the chi-square distribution: a true die exceeds them with probability 0.001.
const (
	critical1 = 10.83 // 1 degree of freedom: fails or not
	critical5 = 20.52 // 5 degrees of freedom: six faces
)

func chiSquare(observed, expected []float64) float64 {
	sum := 0.0
	for i := range observed {
		difference := observed[i] - expected[i]
		sum += difference * difference / expected[i]
	}
	return sum
}

func TestChance(t *testing.T) {
	const n = 60_000
	tests := []struct {
		die
		lowest int
	}{
		{die{identifier: "fair", faces: []int{1, 2, 3, 4, 5, 6}}, 1},
		{die{identifier: "risky", faces: []int{2, 3, 4, 5, 6, 7}, errorRate: 0.1}, 2},
	}
	for _, test := range tests {
		t.Run(test.identifier, func(t *testing.T) {
			faces, failed := make([]float64, 6), 0.0
			random := chance.New(1)
			for range n {
				value, err := test.roll(random)
				if errors.Is(err, errDieFailed) {
					failed++
					continue
				}
				faces[value-test.lowest]++ // panics for a value that is not a face
			}

			each := (n - failed) / 6
			if got := chiSquare(faces, []float64{each, each, each, each, each, each}); got > critical5 {
				t.Errorf("faces %v: chi-square %.1f, want at most %v", faces, got, critical5)
			}
			if test.errorRate == 0 {
				if failed != 0 {
					t.Errorf("%v rolls failed, want none", failed)
				}
				return
			}
			want := n * test.errorRate
			if got := chiSquare([]float64{failed, n - failed}, []float64{want, n - want}); got > critical1 {
				t.Errorf("%v rolls failed of %d: chi-square %.1f, want at most %v", failed, n, got, critical1)
			}
		})
	}
}
