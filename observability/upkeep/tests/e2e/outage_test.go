//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"example.com/dice/observability/upkeep/internal/engine"
	"example.com/dice/observability/upkeep/internal/stack"
)

// fault is a part that is down while users roll dice.
type fault struct {
	name     string
	begin    func(*testing.T, *stack.Stack)
	lasts    time.Duration
	end      func(*testing.T, *stack.Stack)
	harmless bool // costs neither a roll nor telemetry
}

// TestOutages breaks one part of the last stage after the other. Users must see it if they have to, and get their rolls
// again. If it is a part of the stack, they must not see it, and the engines must have all that was rolled.
// observability/upkeep/measurements tries more faults, and says what each costs.
func TestOutages(t *testing.T) {
	const stage = "stage6-usage"
	if !slices.Contains(stack.Stages(t, repository), stage) {
		t.Skip("not among the stages to test")
	}
	s := stack.Start(t, repository, stage, "NUM_USERS=1", "MAX_ROLLS_PER_USER=1")
	s.WaitForTraffic(t)
	for _, f := range []fault{
		{name: "collector killed", begin: compose("kill", "collector"), end: compose("start", "collector"), harmless: true},
		{name: "engines cut off for 20 s", begin: stack.Disconnect, lasts: 20 * time.Second, end: stack.Connect, harmless: true},
		{name: "roll killed", begin: compose("kill", "roll"), lasts: 5 * time.Second, end: compose("start", "roll")},
	} {
		t.Run(f.name, func(t *testing.T) { f.try(t, s) })
	}
}

func (f fault) try(t *testing.T, s *stack.Stack) {
	before := settledTotals(t)
	generated := s.Traffic(t, 8, 60, func() {
		wait(5 * time.Second)
		f.begin(t, s)
		wait(f.lasts)
		f.end(t, s)
	})
	allowed := []string{"200", "500"} // risky dice fail
	if !f.harmless {
		allowed = append(allowed, "502", "503", "504")
	}
	for status, n := range generated.Replies {
		if !slices.Contains(allowed, status) {
			t.Errorf("users saw %d times %s", n, status)
		}
	}
	stack.Eventually(t, "a roll", rollOnce)
	if !f.harmless {
		return
	}
	want := totals{before.traces + generated.Rolls + 1, before.records + generated.Rolls + 1, before.dice + generated.AllDice() + 1}
	stack.Eventually(t, "all that was rolled", func() error {
		got, err := readTotals()
		if err == nil && got != want {
			err = fmt.Errorf("got %+v, want %+v", got, want)
		}
		return err
	})
}

// totals are how many rolls the engines have.
type totals struct{ traces, records, dice int }

func readTotals() (totals, error) {
	var got totals
	traces, err := engine.Local.TraceQL(`{ name = "roll die" }`)
	if err != nil {
		return got, err
	}
	records, err := engine.Local.LogQL(`{service_name="roll"} | die_identifier != ""`)
	if err != nil {
		return got, err
	}
	dice, err := engine.Local.Total(`dice_rolls_total`)
	return totals{len(traces), len(records), dice}, err
}

// settledTotals are totals that no longer change. There has been a roll before.
func settledTotals(t *testing.T) totals {
	t.Helper()
	var before totals
	stack.Eventually(t, "the totals", func() error {
		now, err := readTotals()
		if err == nil && (now != before || now == totals{}) {
			before, err = now, fmt.Errorf("%+v, and perhaps more", now)
			wait(6 * time.Second) // longer than the interval of an export
		}
		return err
	})
	return before
}

func compose(arguments ...string) func(*testing.T, *stack.Stack) {
	return func(t *testing.T, s *stack.Stack) { s.Compose(t, arguments...) }
}

// wait lets an outage last. It is no bound of a check.
func wait(d time.Duration) { <-time.After(d) }
