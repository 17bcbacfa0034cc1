package checklist

import (
	"slices"
	"strconv"
	"time"

	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/recorder"
	"example.com/dice/observability/internal/store"
)

// rolled is a request to the roll service, its dice, and their spans.
type rolled struct {
	batch

	call   recorder.Exchange
	served bool // whether its server span is known
	spans  []store.Span
}

// rolled returns the requests for which dice were rolled.
func (e *evidence) rolled() []rolled {
	var all []rolled
	for _, x := range e.callsTo("roll") {
		if b, ok := batchOf(x); ok {
			r := rolled{batch: b, call: x}
			for _, server := range e.serverSpans(x) {
				r.served = true
				dice := filter(e.below[server.ID], func(s store.Span) bool { return s.Name == "roll die" && s.Kind == "internal" })
				r.spans = append(r.spans, dice...)
			}
			all = append(all, r)
		}
	}
	return all
}

// outcomes returns the attributes with which the dice must be counted: those of the response for one die, those of the spans for several.
func (r rolled) outcomes() []map[string]string {
	if r.call.Path == "/roll" {
		one := map[string]string{"die.identifier": r.die, "dice.roll.outcome": "failed", "error.type": "die_failed"}
		if !r.failed {
			one = map[string]string{"die.identifier": r.die, "dice.roll.outcome": "rolled", "die.value": strconv.Itoa(r.total)}
		}
		return []map[string]string{one}
	}
	all := make([]map[string]string, len(r.spans))
	for i, span := range r.spans {
		all[i] = span.Attributes
	}
	return all
}

// checkRolls requires one span for each die, with what the response says about it.
func (e *evidence) checkRolls(want declared.Span) Verdict {
	dice := 0
	for _, r := range e.rolled() {
		dice += r.times
	}
	all := e.named(want)
	if len(all) == 0 {
		return e.noSpan(want, dice, "roll")
	}
	if v := e.checkParents(want, all); !v.There() {
		return v
	}
	if v := e.checkNumber(dice, len(all)); !v.There() {
		return v
	}
	if v := e.checkContent(want, all); !v.There() {
		return v
	}
	for _, r := range e.rolled() {
		if v := r.check(); r.served && !v.There() {
			return v
		}
	}
	if v := e.checkTimes(all); !v.There() {
		return v
	}
	return e.checkConcurrency()
}

// checkNumber requires as many spans as dice, in all and in each request.
func (e *evidence) checkNumber(dice, spans int) Verdict {
	lost := make(map[int]int) // by status
	for _, r := range e.rolled() {
		switch {
		case !r.served: // another item reports this
		case len(r.spans) > r.times:
			return wrong("A request rolled %s, but has %d such spans. Start one for each die.", plural(r.times, "time"), len(r.spans))
		case len(r.spans) < r.times:
			lost[r.call.Status] += r.times - len(r.spans)
		}
	}
	n := 0
	for _, k := range lost {
		n += k
	}
	switch {
	case n == 0 && spans > dice && e.untraced("roll") > 0:
		return Verdict{}
	case n == 0 && spans != dice:
		return wrong("There are %d such spans for %d rolls. Start one for each die.", spans, dice)
	case n == 0:
		return Verdict{}
	}
	v := wrong("%d of %d rolls have no such span: %s.", n, dice, inResponses(lost))
	if live := e.started("roll"); live > 0 {
		v.Reason += " " + neverEnded(live)
		return v.needs("defer span.End()")
	}
	v.Reason += " Start one for each die, before anything can fail."
	return v
}

// inResponses describes numbers of dice by the status of the response.
func inResponses(dice map[int]int) string {
	return "in requests that ended " + withStatusOnly(dice)
}

func withStatusOnly(dice map[int]int) string {
	if len(dice) == 1 {
		for status := range dice {
			return "with the status " + strconv.Itoa(status)
		}
	}
	return "with different statuses"
}

// check compares the spans of dice with the response.
func (r rolled) check() Verdict {
	total, failed := 0, 0
	for _, span := range r.spans {
		if got := span.Attributes["die.identifier"]; got != r.die {
			return wrong("The attribute die.identifier of a span is %q, but the request was for the die %q.", got, r.die).needs(`"die.identifier"`)
		}
		switch span.Attributes["dice.roll.outcome"] {
		case "rolled":
			value, err := strconv.Atoi(span.Attributes["die.value"])
			if err != nil {
				return wrong("A roll has the outcome rolled, but its span has no die.value.").needs(`"die.value"`)
			}
			total += value
		case "failed":
			failed++
		}
		if _, has := span.Attributes["die.value"]; has && span.Attributes["dice.roll.outcome"] != "rolled" {
			return wrong("The span of a roll that did not succeed has the attribute die.value.").needs(`"die.value"`)
		}
	}
	switch {
	case r.failed && failed == 0:
		return wrong("A die of a request failed, but no span has the dice.roll.outcome failed.").needs("outcome(")
	case !r.failed && slices.ContainsFunc(r.spans, func(s store.Span) bool { return s.Attributes["dice.roll.outcome"] != "rolled" }):
		return wrong("All dice of a request succeeded, but a span does not have the dice.roll.outcome rolled.").needs("outcome(")
	case !r.failed && total != r.total:
		return wrong("The die.value of the spans of a request add up to %d, but the response was %d.", total, r.total).needs(`"die.value"`)
	}
	return Verdict{}
}

// slack is how much clocks of two spans may differ.
const slack = time.Millisecond

// checkTimes requires that the span of a roll includes its wait, and is within the span of its request.
func (e *evidence) checkTimes(spans []store.Span) Verdict {
	waited, sum := 0, time.Duration(0)
	for _, span := range spans {
		parent := e.byID[span.Parent]
		if span.Start.Before(parent.Start.Add(-slack)) || span.End.After(parent.End.Add(slack)) {
			return wrong("A span begins before the span of its request, or ends after it. Wait for all dice before you respond.").needs("group.Wait()")
		}
		if span.Attributes["dice.roll.outcome"] != "canceled" {
			waited, sum = waited+1, sum+span.Duration()
		}
	}
	if sum < e.leastWait(waited) {
		return wrong("The spans take %s on average, but a roll waits for up to %s. Start the span before the wait, and end it after the roll.", (sum / time.Duration(waited)).Round(time.Microsecond), e.MaxWait)
	}
	return Verdict{}
}

// leastWait is a time that as many random waits take together, with a probability close to one. They take twice as long on average. Of a few
// waits, all may be short.
func (e *evidence) leastWait(waits int) time.Duration {
	const few = 30
	if waits < few {
		return 0
	}
	return time.Duration(waits) * e.MaxWait / 4
}

// checkConcurrency requires that the dice of a batch are rolled at the same time.
func (e *evidence) checkConcurrency() Verdict {
	batches, slow, most := 0, 0, 0
	for _, r := range e.rolled() {
		if r.times < 3 || r.failed {
			continue
		}
		batches++
		overlap := atOnce(r.spans)
		most = max(most, overlap)
		if overlap < (r.times+1)/2 {
			slow++
		}
	}
	if batches == 0 || slow <= batches/2 {
		return Verdict{}
	}
	if most == 1 {
		return wrong("The dice of a batch are rolled one after the other: their spans do not overlap. Roll each in a goroutine of its own, and wait for all of them, so that a batch takes as long as its longest roll.").needs("group.Go(")
	}
	return wrong("Too few dice of a batch are rolled at the same time: %d at most. Roll each in a goroutine of its own, without a limit.", most).needs("group.Go(")
}

// atOnce returns how many spans overlap at most.
func atOnce(spans []store.Span) int {
	most := 0
	for _, one := range spans {
		most = max(most, count(spans, func(s store.Span) bool { return !s.Start.After(one.Start) && s.End.After(one.Start) }))
	}
	return most
}
