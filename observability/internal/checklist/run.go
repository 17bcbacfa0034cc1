package checklist

import (
	"time"

	"example.com/dice/observability/internal/recorder"
	"example.com/dice/observability/internal/store"
)

// Prober is the client of the requests in [Probes].
const Prober = "checklist"

// Run is what one run of a stage's code emitted.
type Run struct {
	Services []Service         // the stage's, except for the traffic generator
	Broken   map[string]string // why a service does not run, by service name; the others were then not started
	Stopped  error             // the error of stopping the services
	MaxWait  time.Duration     // the longest random wait before a roll
	Endpoint string            // host:port of the collector

	Exchanges []recorder.Exchange // all requests: the probes, those of the traffic generator, and those between services
	Spans     []store.Span
	Points    []store.Point
	Records   []store.Record
}

// Service is one service of a run.
type Service struct {
	Name         string
	SelfObserved bool   // whether its environment makes the SDK report on itself; the checker makes it do so in any case
	Output       string // the end of its terminal output
}

// Ran reports whether all services ran.
func (r *Run) Ran() bool { return len(r.Broken) == 0 }

// answered returns the run without the traces of requests that got no response, and these requests. On a busy machine, a client gives up, and
// nobody knows how far the server got. Only metrics still contain such requests.
func (r *Run) answered() (*Run, []recorder.Exchange) {
	var unanswered []recorder.Exchange
	traces := make(map[string]bool)
	for _, x := range r.Exchanges {
		if x.Status == 0 && x.Path != "/healthz" {
			unanswered = append(unanswered, x)
			traces[x.TraceID] = x.TraceID != ""
		}
	}
	if len(unanswered) == 0 {
		return r, nil
	}
	rest := *r
	rest.Exchanges = filter(r.Exchanges, func(x recorder.Exchange) bool { return x.Status != 0 && !traces[x.TraceID] })
	rest.Spans = filter(r.Spans, func(s store.Span) bool { return !traces[s.TraceID] })
	rest.Records = filter(r.Records, func(x store.Record) bool { return !traces[x.TraceID] })
	return &rest, unanswered
}

func filter[T any](all []T, has func(T) bool) []T {
	var found []T
	for _, one := range all {
		if has(one) {
			found = append(found, one)
		}
	}
	return found
}

func count[T any](all []T, has func(T) bool) int { return len(filter(all, has)) }
