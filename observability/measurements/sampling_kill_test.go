//go:build measurements

package measurements

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"example.com/dice/observability/internal/stack"
	"example.com/dice/observability/internal/table"
)

// samplingFault takes a collector away under load, and gives it back.
type samplingFault struct {
	name, service, how string
	loses              bool // traces that wait for a decision
	cuts               bool // traces of which one part came before, and one after
}

// TestSamplingFaults takes one collector after the other away under load. A gateway that is killed must lose no other traces with
// an error than those that waited for a decision; one that is stopped decides on them before; and the agent has all on disk.
// Each is tried five times, or as often as SAMPLING says. It writes a table of the README.
func TestSamplingFaults(t *testing.T) {
	faults := []samplingFault{
		{name: "a gateway is killed", service: "gateway-1", how: "kill", loses: true, cuts: true},
		{name: "a gateway is stopped", service: "gateway-1", how: "stop", cuts: true},
		{name: "the agent is killed", service: "collector", how: "kill"},
	}
	times, err := strconv.Atoi(cmp.Or(os.Getenv("SAMPLING"), "5"))
	if err != nil {
		t.Fatal(err)
	}
	s := stack.StartSampled(t, repository, "NUM_USERS=1", "MAX_ROLLS_PER_USER=1")
	s.WaitForTraffic(t)
	tb := table.New("What happens", "Times", "Traces that waited at a gateway", "Failed runs of that time", "Lost", "Not whole")
	for _, f := range faults {
		var tolls [4][]int
		for range times {
			for i, n := range f.try(t, s) {
				tolls[i] = append(tolls[i], n)
			}
		}
		cells := []string{f.name, strconv.Itoa(times)}
		for _, numbers := range tolls {
			cells = append(cells, fromTo(numbers))
		}
		tb.Row(cells...)
	}
	t.Log(tb)
	if !t.Failed() {
		if err := tb.Write(filepath.Join(repository, "observability", "sampling", "README.md"), "faults"); err != nil {
			t.Fatal(err)
		}
	}
}

// fromTo returns the least and the greatest of some numbers.
func fromTo(numbers []int) string {
	least, most := slices.Min(numbers), slices.Max(numbers)
	if least == most {
		return strconv.Itoa(least)
	}
	return fmt.Sprintf("%d to %d", least, most)
}

// try returns how many traces waited at one gateway, how many failed runs may have been among them or been cut in two, and how
// many of these were lost and are not whole.
func (f samplingFault) try(t *testing.T, s *stack.Stack) [4]int {
	t.Helper()
	const (
		before = 15 * time.Second // decision_wait, the sampler's second, and up to 4 s from a run to the arrival of its first span
		after  = 2 * time.Second  // from the arrival of a run's first span to its failure
	)
	loaded := time.Now()
	var waiting int
	var begun, ended time.Time
	s.Traffic(t, 10, 150, func() {
		wait(20 * time.Second) // until there are decisions on this load
		var err error
		if waiting, err = stack.Total(`otelcol_processor_tail_sampling_sampling_traces_on_memory{instance="gateway-1:8888"}`); err != nil {
			t.Fatal(err)
		}
		begun = time.Now()
		s.Compose(t, f.how, f.service)
		ended = time.Now()
		s.Compose(t, "start", f.service)
	})
	var atRisk []stack.FailedRun
	for _, r := range s.FailedRuns(t) {
		switch {
		case r.At.Before(loaded):
		case r.At.After(begun.Add(-before)) && r.At.Before(ended.Add(after)):
			atRisk = append(atRisk, r)
		default:
			stack.Eventually(t, "the trace of a run that failed at another time", r.InTempo)
		}
	}
	lost, cut := f.checkAtRisk(t, atRisk)
	return [4]int{waiting, len(atRisk), lost, cut}
}

// checkAtRisk returns how many of some runs have no trace, and how many only a part of it.
func (f samplingFault) checkAtRisk(t *testing.T, runs []stack.FailedRun) (lost, cut int) {
	t.Helper()
	if len(runs) == 0 {
		t.Error("no run failed while traces waited: the test tells nothing")
	}
	for _, r := range runs {
		err := r.InTempo()
		if err != nil && !f.loses && !f.cuts {
			err = stack.Poll(r.InTempo)
		}
		if err == nil {
			continue
		}
		if _, missing := stack.Trace(r.Trace); missing != nil {
			lost++
		} else {
			cut++
		}
	}
	if lost > 0 && !f.loses || cut > 0 && !f.cuts {
		t.Errorf("%s: of %d failed runs %d are lost, and %d not whole", f.name, len(runs), lost, cut)
	}
	return lost, cut
}
