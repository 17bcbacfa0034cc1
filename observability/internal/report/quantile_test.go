package report

import (
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	tests := []struct {
		n    int
		q    float64
		want time.Duration
	}{
		{0, 0.5, 0}, {1, 0.5, 1}, {1, 0.95, 1}, {2, 0.5, 1}, {2, 0.95, 2}, {3, 0.5, 2}, {20, 0.5, 10}, {20, 0.95, 19}, {21, 0.95, 20},
		{100, 0.5, 50}, {100, 0.95, 95}, {101, 0.95, 96}, {100, 1, 100},
	}
	for _, test := range tests {
		var sorted []time.Duration
		for i := range test.n {
			sorted = append(sorted, time.Duration(i+1))
		}
		if got := Quantile(sorted, test.q); got != test.want {
			t.Errorf("quantile %v of 1 to %d is %d, want %d", test.q, test.n, got, test.want)
		}
	}
}
