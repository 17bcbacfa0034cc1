package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"example.com/dice/observability/internal/checklist"
	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/recorder"
	"example.com/dice/observability/internal/runner"
)

const runTimeout = 8 * time.Minute // including a build without a cache

// record builds the services, runs them with the stage's traffic and the real collector, and stops them as soon as the traffic is over,
// so that a service that does not flush loses its last second. It returns an error only if the check itself fails, for example
// because a disk is full. Errors in the code are part of the run.
func (c code) record(ctx context.Context, s sources, want declared.Telemetry, report func(doing string)) (_ *checklist.Run, err error) {
	if len(s.missing) > 0 {
		return &checklist.Run{Broken: s.missing}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	stage := s.stage
	stage.Programs = c.programs
	r := newRun(stage)
	directory, err := os.MkdirTemp("", "dice-check-")
	if err != nil {
		return nil, fmt.Errorf("creating a directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	if err := prepare(stage, c.stage.Root, directory); err != nil {
		return nil, err
	}
	var requests recorder.Recorder
	defer requests.Close()
	if err := tap(ctx, &requests, stage); err != nil {
		return nil, err
	}
	running, err := runner.Start(ctx, stage, report)
	if err == nil {
		err = fill(ctx, r, running, stage, &requests, want, report)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if r.Broken = blame(r.Services, err); len(r.Broken) > 0 {
		err = nil
	}
	return r, err
}

func newRun(stage *compose.Stage) *checklist.Run {
	r := &checklist.Run{MaxWait: maxWait, Endpoint: stage.OTLPGRPC.Address()}
	for _, service := range stage.Services {
		if service.Name != compose.Traffic {
			r.Services = append(r.Services, checklist.Service{Name: service.Name, SelfObserved: slices.Contains(service.Environment, selfObservation)})
		}
	}
	return r
}

// fill sends the probes and the traffic, stops the services, and keeps what they have emitted.
func fill(ctx context.Context, r *checklist.Run, running *runner.Runner, stage *compose.Stage, requests *recorder.Recorder, want declared.Telemetry, report func(doing string)) error {
	report("sending requests")
	var errs []error
	for _, service := range r.Services {
		errs = append(errs, probe(ctx, requests, *stage.Service(service.Name), checklist.Probes(service.Name, want)))
	}
	err := errors.Join(errs...)
	if err == nil {
		err = running.Traffic(ctx, io.Discard)
	}
	for i, service := range r.Services {
		r.Services[i].Output = running.Output(service.Name)
		last := checklist.LastProbes(service.Name, requests.Exchanges())
		err = errors.Join(err, probe(ctx, requests, *stage.Service(service.Name), last))
	}
	requests.Close()
	r.Exchanges = requests.Exchanges()
	r.Stopped = stop(ctx, running, r)
	r.Spans, r.Points, r.Records = running.Store.Spans(), running.Store.Points(), running.Store.Records()
	return err
}

// stop stops each service as soon as the record of its last request has arrived. Then it will not send its next records for most of logDelay,
// unless it flushes them.
func stop(ctx context.Context, running *runner.Runner, r *checklist.Run) error {
	var errs []error
	left := make(map[string]string) // services, by the traces of their last requests
	for _, x := range r.Exchanges {
		if x.Client == checklist.Prober {
			maps.DeleteFunc(left, func(_, service string) bool { return service == x.Server })
			left[x.TraceID] = x.Server
		}
	}
	ctx, cancel := context.WithTimeout(ctx, logDelay+logDelay/2)
	defer cancel()
	for len(left) > 0 && ctx.Err() == nil {
		for _, record := range running.Store.Records() {
			if service, ok := left[record.TraceID]; ok {
				delete(left, record.TraceID)
				errs = append(errs, running.StopService(service))
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	return errors.Join(append(errs, running.Stop())...)
}

// blame returns the errors in the code of services by their names. If only the traffic has failed, all services must answer for it, because the
// traffic generator is the stage's own.
func blame(services []checklist.Service, failure error) map[string]string {
	broken := make(map[string]string)
	for name, err := range runner.ByService(failure) {
		broken[name] = err.Error()
	}
	if reason, ok := broken[compose.Traffic]; ok {
		delete(broken, compose.Traffic)
		if len(broken) == 0 {
			for _, service := range services {
				broken[service.Name] = reason
			}
		}
	}
	return broken
}
