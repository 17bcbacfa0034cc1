package checklist

import (
	"fmt"
	"maps"
	"slices"

	"example.com/dice/observability/internal/declared"
)

// checkCorrelation requires a trace ID in all log records except those of the start and the stop.
func (r *Run) checkCorrelation(service string) Verdict {
	all, without := 0, make(map[string]int)
	for _, record := range r.Records {
		if record.Service != service || record.Message == "listening" || record.Message == "stopping" {
			continue
		}
		all++
		if record.TraceID == "" {
			without[record.Message]++
		}
	}
	switch {
	case all == 0:
		return wrong("No log records of requests have arrived.")
	case len(without) == 0:
		return Verdict{}
	}
	message := slices.MaxFunc(slices.Sorted(maps.Keys(without)), func(a, b string) int { return without[a] - without[b] })
	return wrong("%d of %d log records have no trace: those with the message %q. Log with the ctx of the request: slog.InfoContext(ctx, …).", without[message], all, message)
}

func (r *Run) checkLog(want declared.Log, t declared.Telemetry) Verdict {
	var other []string
	found, tracked := false, make(map[string]bool)
	for _, got := range r.Records {
		if got.Service != want.Service {
			continue
		}
		if got.Message != want.Message || got.Event != want.Event {
			other = append(other, got.Message)
			continue
		}
		found = true
		what := fmt.Sprintf("the record %q", want.Message)
		if got.Level != want.Level {
			return wrong("The level of the record is %s. It must be %s.", got.Level, want.Level)
		}
		if v := checkAttributes(what, got.Attributes, got.Types, want.Attributes, t); !v.There() {
			return v
		}
		for name := range got.Attributes {
			tracked[name] = true
		}
	}
	if !found {
		reason := "No record with this message has arrived." + nearest(want.Message, other)
		if want.Event != "" {
			reason = fmt.Sprintf("No record with the event name %q and the body %q has arrived.", want.Event, want.Message)
		}
		return Verdict{Reason: reason}
	}
	return neverSeen(want.Maybe, tracked)
}
