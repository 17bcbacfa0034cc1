package stack

import (
	"testing"
	"time"

	"example.com/dice/observability/upkeep/internal/engine"
)

// SamplingFault stops a collector under load, and starts it again.
type SamplingFault struct {
	Name         string
	Service, How string        // docker compose How Service
	Away         time.Duration // how long the collector is down
	Loses        bool          // spans in its memory
	Cuts         bool          // traces, of which it got one part before the fault and another after
}

// SamplingToll is the cost of a fault.
type SamplingToll struct {
	Waiting int // traces that waited for a decision at one gateway
	AtRisk  int // failed runs whose trace may have been among them, or still arriving
	Lost    int // runs at risk without a trace
	Cut     int // runs at risk with only a part of their trace
}

// Try applies the fault under load. Failed runs that were not at risk must have whole traces, and so must those at risk, unless the
// fault explains the loss.
func (f SamplingFault) Try(t *testing.T, s *Stack) SamplingToll {
	t.Helper()
	const (
		before = 15 * time.Second // decision_wait, the sampler's second, and up to 4 s from a run to the arrival of its first span
		after  = 2 * time.Second  // from the arrival of a run's first span to its failure
	)
	loaded := time.Now()
	var begun, ended time.Time
	var toll SamplingToll
	s.Traffic(t, 10, 150+2*int(f.Away.Seconds()), func() {
		<-time.After(20 * time.Second) // until the gateways have made decisions under this load
		var err error
		if toll.Waiting, err = engine.Local.Total(`otelcol_processor_tail_sampling_sampling_traces_on_memory{instance="gateway-1:8888"}`); err != nil {
			t.Fatal(err)
		}
		begun = time.Now()
		s.Compose(t, f.How, f.Service)
		ended = time.Now()
		<-time.After(f.Away)
		s.Compose(t, "start", f.Service)
	})
	var atRisk []FailedRun
	for _, r := range s.FailedRuns(t) {
		switch {
		case r.At.Before(loaded):
		case r.At.After(begun.Add(-before)) && r.At.Before(ended.Add(after)):
			atRisk = append(atRisk, r)
		default:
			Eventually(t, "the trace of a run that failed at another time", r.InTempo)
		}
	}
	toll.AtRisk = len(atRisk)
	toll.Lost, toll.Cut = f.missing(t, atRisk)
	t.Logf("%s: %+v", f.Name, toll)
	return toll
}

// missing returns how many of the runs have no trace, and how many have only a part of one.
func (f SamplingFault) missing(t *testing.T, runs []FailedRun) (lost, cut int) {
	t.Helper()
	if len(runs) == 0 {
		t.Error("no run failed while traces waited: the test tells nothing")
	}
	for _, r := range runs {
		err := r.InTempo()
		if err != nil && !f.Loses && !f.Cuts {
			err = Poll(r.InTempo)
		}
		if err == nil {
			continue
		}
		if _, none := engine.Local.Trace(r.Trace); none != nil {
			lost++
		} else {
			cut++
		}
	}
	if lost > 0 && !f.Loses || cut > 0 && !f.Cuts {
		t.Errorf("%s: of %d failed runs, %d have no trace, and %d only a part of one", f.Name, len(runs), lost, cut)
	}
	return lost, cut
}
