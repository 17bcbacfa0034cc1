package checklist

import (
	"slices"

	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/recorder"
	"example.com/dice/observability/internal/store"
)

// evidence is a run, prepared for the questions of the items.
type evidence struct {
	*Run

	want       declared.Telemetry
	unanswered []recorder.Exchange // requests without a response; the run is without their traces
	probes     []recorder.Exchange // all requests of the prober
	byID       map[string]store.Span
	below      map[string][]store.Span // by the ID of their parent
}

func newEvidence(r *Run, want declared.Telemetry) *evidence {
	e := &evidence{want: want, byID: make(map[string]store.Span, len(r.Spans)), below: make(map[string][]store.Span)}
	e.probes = filter(r.Exchanges, func(x recorder.Exchange) bool { return x.Client == Prober })
	e.Run, e.unanswered = r.answered()
	for _, span := range e.Spans {
		e.byID[span.ID] = span
		e.below[span.Parent] = append(e.below[span.Parent], span)
	}
	return e
}

func (e *evidence) service(name string) Service {
	i := slices.IndexFunc(e.Services, func(s Service) bool { return s.Name == name })
	if i < 0 {
		return Service{}
	}
	return e.Services[i]
}

// spansOf returns the spans of a service that have a property.
func (e *evidence) spansOf(service string, has func(store.Span) bool) []store.Span {
	return filter(e.Spans, func(s store.Span) bool { return s.Service == service && has(s) })
}

// calls returns the requests with a property, except for those of health checks, which have no telemetry.
func (e *evidence) calls(has func(recorder.Exchange) bool) []recorder.Exchange {
	return filter(e.Exchanges, func(x recorder.Exchange) bool { return x.Path != "/healthz" && has(x) })
}

// untraced returns how many requests without a response a service may have received and served in traces of its own.
func (e *evidence) untraced(service string) int {
	return count(e.unanswered, func(x recorder.Exchange) bool { return x.Server == service && x.TraceID == "" })
}

// callsTo returns the requests that a service received.
func (e *evidence) callsTo(server string) []recorder.Exchange {
	return e.calls(func(x recorder.Exchange) bool { return x.Server == server })
}

// serverSpans returns the server's spans for a request that has a trace.
func (e *evidence) serverSpans(x recorder.Exchange) []store.Span {
	return filter(e.below[x.SpanID], func(s store.Span) bool {
		return x.SpanID != "" && s.TraceID == x.TraceID && s.Service == x.Server && s.Kind == "server"
	})
}

// pointsOf returns the data points of a service's metric.
func (e *evidence) pointsOf(service, metric string) []store.Point {
	return filter(e.Points, func(p store.Point) bool { return p.Service == service && p.Name == metric })
}
