package checklist

import (
	"slices"

	"example.com/dice/observability/internal/store"
)

// Run is what one run of a stage's code emitted. The zero value is a run in which nothing happened.
type Run struct {
	Services []Service         // the stage's, except for the traffic generator
	Broken   map[string]string // why a service does not run, by service name; the others were then not started
	Stopped  error             // the error of stopping the services

	Spans   []store.Span
	Points  []store.Point
	Records []store.Record
}

// Service is one service of a run.
type Service struct {
	Name      string
	Port      string     // at which the other services call it
	Responses []Response // to the requests in [Probes], in their order
	Output    string     // the end of its terminal output
}

// Response is a service's response to a probe.
type Response struct {
	Status int
	Body   string
	Err    error // of sending the request
}

// Ran reports whether all services ran.
func (r *Run) Ran() bool { return len(r.Broken) == 0 }

func (r *Run) service(name string) Service {
	i := slices.IndexFunc(r.Services, func(s Service) bool { return s.Name == name })
	if i < 0 {
		return Service{Name: name}
	}
	return r.Services[i]
}

// spansOf returns the spans of a service.
func (r *Run) spansOf(service string) []store.Span {
	var spans []store.Span
	for _, span := range r.Spans {
		if span.Service == service {
			spans = append(spans, span)
		}
	}
	return spans
}

// byID returns the spans by their IDs.
func (r *Run) byID() map[string]store.Span {
	all := make(map[string]store.Span, len(r.Spans))
	for _, span := range r.Spans {
		all[span.ID] = span
	}
	return all
}
