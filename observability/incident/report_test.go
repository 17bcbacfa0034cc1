package main

import (
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"

	"example.com/dice/observability/internal/store"
)

func TestEstimate(t *testing.T) {
	h := store.Point{Count: 10, Bounds: []float64{1, 2, 4}, Buckets: []uint64{5, 0, 4, 1}}
	for q, want := range map[float64]float64{0.25: 0.5, 0.5: 1, 0.7: 3, 0.99: 4} {
		if got := estimate(h, q); got != want {
			t.Errorf("quantile %g: got %g, want %g", q, got, want)
		}
	}
}

func TestTablesAreWhole(t *testing.T) {
	headers := []string{"service", "metric", "series", "p95"}
	for n := range 200 { // the table without its borders, and with them, becomes wider than the limit
		text, number := strings.Repeat("a.b ", n), "12345.6 ms"
		drawn := draw(2, headers, [][]string{{"roll", text, "1", number}, {"frontend", "m", "22", number}})
		for line := range strings.Lines(drawn) {
			if width, whole := lipgloss.Width(line), lipgloss.Width(drawn); width != whole || width > columns {
				t.Fatalf("%d: want equal lines of at most %d columns:\n%s", n, columns, drawn)
			}
		}
		if strings.Count(drawn, number) != 2 || strings.Count(drawn, "a.") != n || strings.Count(drawn, "b ") < n || !strings.Contains(drawn, "p95") {
			t.Fatalf("%d: something is cut off:\n%s", n, drawn)
		}
	}
}

func TestReportOfNothing(t *testing.T) {
	if got := describe(new(store.Store)); !strings.Contains(got, "Spans") {
		t.Error(got)
	}
}
