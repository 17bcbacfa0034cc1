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
