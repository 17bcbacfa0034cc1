package stack

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
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

// FailedRuns returns the runs that failed, as the roll service wrote of them on the terminal.
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

// TimeOf returns the time of a log line.
func TimeOf(t *testing.T, record map[string]any) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(record["time"]))
	if err != nil {
		t.Fatal(err)
	}
	return at
}
