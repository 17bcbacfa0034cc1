package stack

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"example.com/dice/observability/upkeep/internal/engine"
)

// SampledStage is the stage that is tested under the overlay for sampling: it has all services, and routes log records.
const SampledStage = "stage6-usage"

// StartSampled starts [SampledStage] under the overlay for sampling.
func StartSampled(t *testing.T, root string, settings ...string) *Stack {
	t.Helper()
	if !slices.Contains(Stages(t, root), SampledStage) {
		t.Skip(SampledStage, " is not to be tested")
	}
	files := "COMPOSE_FILE=compose.yaml" + string(os.PathListSeparator) + "../observability/sampling/compose.yaml"
	return Start(t, root, SampledStage, append(settings, files)...)
}

// FailedRun is a run of dice that failed.
type FailedRun struct {
	Trace string
	Dice  int
	At    time.Time // when the roll service wrote its log record
}

// FailedRuns returns the failed runs, from the log records that the roll service wrote to the terminal.
func (s *Stack) FailedRuns(t *testing.T) []FailedRun {
	t.Helper()
	var failed []FailedRun
	for _, message := range []string{"roll failed", "batch failed"} {
		for _, record := range s.Logs(t, "roll", message) {
			r := FailedRun{Trace: fmt.Sprint(record["trace_id"]), Dice: 1, At: TimeOf(t, record)}
			if size, ok := record["dice.batch.size"].(float64); ok {
				r.Dice = int(size)
			}
			failed = append(failed, r)
		}
	}
	return failed
}

// InTempo returns an error unless Tempo has the run's trace with all its spans.
func (r FailedRun) InTempo() error {
	spans, err := engine.Local.Trace(r.Trace)
	if err != nil {
		return err
	}
	// The user's request, the page and its two calls, the roll service's request and its call; the die service and its database,
	// twice.
	const others = 10
	if n := countSpans(spans); n != others+r.Dice {
		return fmt.Errorf("the trace %s of %d dice has %d spans, want %d", r.Trace, r.Dice, n, others+r.Dice)
	}
	return Whole(spans)
}

// countSpans counts the spans of a trace. A span that was sent twice counts once.
func countSpans(spans []engine.Span) int {
	ids := make(map[string]bool)
	for _, s := range spans {
		ids[s.ID] = true
	}
	return len(ids)
}

// Whole returns an error unless a trace has exactly one root, and the parents of all other spans.
func Whole(spans []engine.Span) error {
	ids, roots := make(map[string]bool), make(map[string]bool)
	for _, s := range spans {
		ids[s.ID] = true
		if s.Parent == "" {
			roots[s.ID] = true
		}
	}
	if len(roots) != 1 {
		return fmt.Errorf("%d roots among %+v", len(roots), spans)
	}
	for _, s := range spans {
		if s.Parent != "" && !ids[s.Parent] {
			return fmt.Errorf("no parent of %+v", s)
		}
	}
	return nil
}

// TimeOf returns the time of a log line.
func TimeOf(t *testing.T, record map[string]any) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(record["time"]))
	if err != nil {
		t.Fatal(err)
	}
	return at
}
