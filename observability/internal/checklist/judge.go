// Package checklist judges instrumented code: it compares what a run of the code emitted with the declaration of its stage, and gives a
// verdict on each item of the stage's checklist.
package checklist

import "example.com/dice/observability/internal/declared"

// Result is the checklist, with a verdict on each item from one run.
type Result struct {
	Lines []Line
	Extra []string // telemetry that the stage does not declare: the learner's own
	Ran   bool     // false if a service is missing, was not built or did not start
}

// Line is an item, its verdict, and whether the previous stage already has it.
type Line struct {
	Item

	Verdict Verdict
	Old     bool
}

// Judge checks a run against the declaration of its stage. Items that the declaration of the previous stage contains too are old. If
// the code did not run, only the presence of the services can be checked.
func Judge(want, before declared.Telemetry, r *Run) Result {
	old := make(map[string]bool)
	for _, item := range Items(before) {
		old[item.key()] = true
	}
	e := newEvidence(r, want)
	got := Result{Ran: r.Ran(), Extra: e.alsoSeen()}
	for _, item := range Items(want) {
		l := Line{Item: item, Old: old[item.key()]}
		if got.Ran || item.presence {
			l.Verdict = item.check(e)
		} else {
			l.Verdict = Verdict{Reason: "The services are not running."}
		}
		got.Lines = append(got.Lines, l)
	}
	return got
}

// Missing returns the first missing line, or nil. Old items come first. If the code did not run, only missing services count.
func (r Result) Missing() *Line {
	for _, old := range []bool{true, false} {
		for i, l := range r.Lines {
			if !l.Verdict.There() && l.Old == old && (r.Ran || l.presence) {
				return &r.Lines[i]
			}
		}
	}
	return nil
}

// Done returns the number of items that are there.
func (r Result) Done() int {
	n := 0
	for _, l := range r.Lines {
		if l.Verdict.There() {
			n++
		}
	}
	return n
}
