package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"example.com/dice/observability/internal/checklist"
	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/runner"
)

const (
	runTimeout   = 8 * time.Minute // including a build without a cache
	probeTimeout = 10 * time.Second
)

// record builds the services, runs them with the stage's traffic and the real collector, and stops them as soon as the traffic is over,
// so that a service that does not flush loses its last second. It returns an error only if the check itself fails, for example
// because the stage does not exist. Errors in the code are part of the run.
func (c code) record(ctx context.Context, want declared.Telemetry) (*checklist.Run, error) {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	stage, missing, err := c.load(ctx)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return &checklist.Run{Broken: missing}, nil
	}
	running, err := runner.Start(ctx, stage, func(string) {})
	if err != nil {
		return &checklist.Run{Broken: blame(stage, err)}, ctx.Err()
	}
	r := &checklist.Run{}
	for _, service := range stage.Services {
		if url := stage.URL(service.Name); url != "" {
			r.Services = append(r.Services, checklist.Service{
				Name: service.Name, Port: service.Port.Number, Responses: probe(ctx, url, checklist.Probes(service.Name, want)),
			})
		}
	}
	err = running.Traffic(ctx, io.Discard)
	for i, service := range r.Services {
		r.Services[i].Output = running.Output(service.Name)
	}
	r.Stopped = running.Stop()
	r.Spans, r.Points, r.Records = running.Store.Spans(), running.Store.Points(), running.Store.Records()
	if err != nil && ctx.Err() == nil {
		r.Broken, err = blame(stage, err), nil
	}
	return r, err
}

// blame returns the failure of a build, a start or the traffic for each service that it names. If it names none in the checklist, all
// services must answer for it, because the traffic is the stage's own.
func blame(stage *compose.Stage, failure error) map[string]string {
	broken := make(map[string]string)
	for _, all := range []bool{false, true} {
		for _, service := range stage.Services {
			if service.Name != compose.Traffic && (all || strings.Contains(failure.Error(), service.Name+" ")) {
				broken[service.Name] = failure.Error()
			}
		}
		if len(broken) > 0 {
			break
		}
	}
	return broken
}

// probe sends requests to a service one after the other.
func probe(ctx context.Context, url string, probes []checklist.Probe) []checklist.Response {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	responses := make([]checklist.Response, len(probes))
	for i, p := range probes {
		responses[i] = get(ctx, url+p.Path)
	}
	return responses
}

func get(ctx context.Context, url string) checklist.Response {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return checklist.Response{Err: err}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return checklist.Response{Err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return checklist.Response{Status: response.StatusCode, Body: string(body), Err: err}
}
