//go:build e2e

package e2e

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/internal/readme"
	"example.com/dice/observability/upkeep/internal/dashboard"
	"example.com/dice/observability/upkeep/internal/engine"
	"example.com/dice/observability/upkeep/internal/stack"
)

// TestNativeHistograms switches the first stage to native histograms, as reference.md says, and wants data for its queries, series
// without buckets, exemplars, and no data on the panels that it names, but on all others.
func TestNativeHistograms(t *testing.T) {
	const stage, section = "stage1-roll", "Native histograms"
	if !slices.Contains(stack.Stages(t, repository), stage) {
		t.Skip("not among the stages to test")
	}
	text, err := readme.Read(filepath.Join(repository, "observability", "reference.md"))
	if err != nil {
		t.Fatal(err)
	}
	var setting string
	var queries []readme.Block
	for _, block := range text.Blocks {
		switch {
		case block.Section != section:
		case block.Language == "promql":
			queries = append(queries, block)
		case block.Language == "sh":
			setting, _, _ = strings.Cut(block.Text, " ")
		}
	}
	s := stack.Start(t, repository, stage, setting, "NUM_USERS=5", "MAX_ROLLS_PER_USER=40", "SEED=1")
	for _, query := range queries {
		stack.Eventually(t, query.Text, func() error { return hasData("prometheus", query.Text) })
	}
	generated := s.WaitForTraffic(t)
	stack.Eventually(t, "all waits", func() error {
		return equals(func() (int, error) { return engine.Local.Total("histogram_count(dice_roll_wait_seconds)") }, generated.Rolls)
	})
	for query, want := range map[string]int{
		`count(dice_roll_wait_seconds)`:                            1,
		`count({__name__=~"(dice|http|go)_.*_bucket"})`:            0,
		`count({__name__="traces_span_metrics_duration_seconds"})`: 0, // the collector's
	} {
		if err := equals(func() (int, error) { return engine.Local.Total(query) }, want); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
	if _, err := engine.Local.Exemplars("dice_roll_wait_seconds"); err != nil {
		t.Error(err)
	}
	checkEmptyPanels(t, stage, text.Emphasis)
}

// checkEmptyPanels wants no data for the named panels, and data for all others.
func checkEmptyPanels(t *testing.T, stage string, empty []string) {
	t.Helper()
	boards, err := dashboard.Read(repository, stage)
	if err != nil {
		t.Fatal(err)
	}
	for _, board := range boards {
		for _, panel := range board.All() {
			for _, target := range panel.Targets {
				source, query := board.Expand(target)
				switch {
				case source != "prometheus":
				case !slices.Contains(empty, panel.Title):
					stack.Eventually(t, panel.Title, func() error { return hasData(source, query) })
				default:
					if err := hasData(source, query); !errors.Is(err, errNoData) {
						t.Errorf("%s: want no data, got: %v", panel.Title, err)
					}
				}
			}
		}
	}
}
