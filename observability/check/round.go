package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/freeport"
	"example.com/dice/observability/internal/runner"
	"example.com/dice/observability/internal/stages"
	"example.com/dice/observability/internal/store"
)

const (
	roundTimeout = 8 * time.Minute // including a build without a cache
	probeTimeout = 10 * time.Second
)

// subject is the code to check, and the stage to compare it with.
type subject struct {
	stage     stages.Stage
	directory string // of the learner's code; may be relative to the working directory
}

// round is the outcome of one run of the code.
type round struct {
	stage   *compose.Stage
	missing map[string]string  // the reason why a service cannot run, by service name
	failure error              // of the build, the start or the traffic
	answers map[string]verdict // by service name
	output  map[string]string  // the end of a service's output, by service name
	stop    error              // the error of stopping the services

	spans   []store.Span
	byID    map[string]store.Span
	points  []store.Point
	records []store.Record
}

// play builds the services, runs them with the stage's traffic and the real collector, and stops them as soon as the traffic is over,
// so that a service that does not flush loses its last second. It returns an error only if the check itself fails, for example
// because the stage does not exist. Errors in the code are part of the round.
func (s subject) play(ctx context.Context, want declared.Telemetry) (*round, error) {
	ctx, cancel := context.WithTimeout(ctx, roundTimeout)
	defer cancel()
	r := &round{missing: make(map[string]string), answers: make(map[string]verdict), output: make(map[string]string)}
	if err := s.load(ctx, r); err != nil {
		return nil, err
	}
	if len(r.missing) > 0 {
		return r, nil
	}
	running, err := runner.Start(ctx, r.stage, func(string) {})
	if err != nil {
		r.failure = err
		return r, ctx.Err()
	}
	for _, service := range r.stage.Services {
		if url := r.stage.URL(service.Name); url != "" {
			r.answers[service.Name] = probe(ctx, url, probes(service.Name, want))
		}
	}
	err = running.Traffic(ctx, io.Discard)
	for _, service := range r.stage.Services {
		r.output[service.Name] = running.Output(service.Name)
	}
	r.stop = running.Stop()
	r.read(running.Store)
	if err != nil && ctx.Err() == nil {
		r.failure = err
		err = nil
	}
	return r, err
}

// read copies the telemetry from the store.
func (r *round) read(s *store.Store) {
	r.spans, r.points, r.records = s.Spans(), s.Points(), s.Records()
	r.byID = make(map[string]store.Span, len(r.spans))
	for _, span := range r.spans {
		r.byID[span.ID] = span
	}
}

// load finds the code of each service. The traffic generator is always the stage's.
func (s subject) load(ctx context.Context, r *round) error {
	settings := compose.Settings{Override: append(freeport.Variables(), "SEED=1", "MAX_WAIT=10ms", "NUM_USERS=10", "MAX_ROLLS_PER_USER=30")}
	own, err := compose.Load(ctx, s.stage.Root, s.stage.Name, settings)
	if err != nil {
		return err
	}
	directory, err := filepath.Abs(s.directory)
	if err != nil {
		return err
	}
	if _, err := os.Stat(directory); err != nil {
		return fmt.Errorf("there is no directory %s: create it with -start %s %[1]s", s.directory, s.stage.Name)
	}
	r.stage = own
	switch {
	case isFile(filepath.Join(directory, "compose.yaml")):
		theirs, err := compose.LoadDirectory(ctx, directory, s.stage.Name, settings)
		if err != nil {
			return err
		}
		r.adopt(theirs, own, s.directory)
	case holdsGo(directory): // the service itself, like plain/ of the first stage
		own.Service("roll").Source = directory
	default:
		for i, service := range own.Services {
			if source := filepath.Join(directory, service.Name); holdsGo(source) && service.Name != compose.Traffic {
				own.Services[i].Source = source
			}
		}
	}
	return nil
}

// adopt takes the services from the learner's compose.yaml and the traffic generator from the stage, and notes missing services.
func (r *round) adopt(theirs, own *compose.Stage, directory string) {
	r.stage = theirs
	for _, service := range own.Services {
		got := theirs.Service(service.Name)
		switch {
		case got == nil:
			r.missing[service.Name] = filepath.Join(directory, "compose.yaml") + " has no service with this name. Add one."
		case service.Name == compose.Traffic:
			*got = service
		case !holdsGo(got.Source):
			r.missing[service.Name] = filepath.Join(directory, service.Name) + " has no Go files. Put the service's main package there."
		}
	}
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

func holdsGo(directory string) bool {
	files, err := filepath.Glob(filepath.Join(directory, "*.go"))
	return err == nil && len(files) > 0
}

// request is a request to a service, and the expected response.
type request struct {
	path   string
	status int
	has    string // text in the body
}

// nowhere is a path that no service serves.
const nowhere = "/nowhere"

// route is the path without the query.
func (r request) route() string {
	path, _, _ := strings.Cut(r.path, "?")
	return path
}

// probes returns the requests that a service must answer in a stage.
func probes(service string, want declared.Telemetry) []request {
	switch service {
	case "roll":
		requests := []request{{"/roll?die=fair", http.StatusOK, `"roll":`}, {"/roll", http.StatusBadRequest, `"error":`}, {nowhere, http.StatusNotFound, `"error":`}}
		for _, span := range want.Spans {
			if span.Service == "roll" && span.Name == "GET /roll-async" && span.Kind == "server" {
				return append(requests, request{"/roll-async?die=fair&times=3", http.StatusOK, `"total":`}, request{"/roll-async?die=fair&times=0", http.StatusBadRequest, `"error":`},
					request{"/roll-async?die=risky&times=100", http.StatusInternalServerError, `"error":`}) // at least one of a hundred dice fails
			}
		}
		return requests
	case "frontend":
		return []request{{"/", http.StatusOK, "<form"}, {nowhere, http.StatusNotFound, ""}}
	case "die":
		return []request{{"/dice", http.StatusOK, `"identifiers":`}, {"/dice?identifier=fair", http.StatusOK, `"faces":`}, {"/dice?identifier=nope", http.StatusNotFound, `"error":`}}
	default:
		return nil
	}
}

// probe describes the first response that is not the expected one.
func probe(ctx context.Context, url string, requests []request) verdict {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	for _, want := range requests {
		if err := want.send(ctx, url); err != nil {
			return verdict{fmt.Sprintf("GET %s: %v.", want.path, err), fmt.Sprintf("%q", want.route())}
		}
	}
	return verdict{}
}

func (r request) send(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+r.path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	switch {
	case err != nil:
		return err
	case response.StatusCode != r.status:
		return fmt.Errorf("the status is %d, not %d", response.StatusCode, r.status)
	case !strings.Contains(string(body), r.has):
		return fmt.Errorf("the body does not contain %s", r.has)
	}
	return nil
}

// complaint returns the last line in which the SDK or an exporter of a service reports a failed export, or "".
func (r *round) complaint(service string) string {
	found := ""
	for line := range strings.Lines(r.output[service]) {
		lower := strings.ToLower(line)
		for _, sign := range []string{"telemetry error", "failed to upload", "exporter export timeout", "connection refused", "rpc error", "malformed http", "traces export", "retry-able"} {
			if strings.Contains(lower, sign) {
				found = message(strings.TrimSpace(line))
			}
		}
	}
	if found == "" && r.stop != nil && strings.Contains(r.stop.Error(), "flushing") {
		found = r.stop.Error()
	}
	return found
}

// message returns the error or the message of a log line in JSON. Other lines are returned unchanged.
func message(line string) string {
	var record struct{ Error, Msg string }
	if err := json.Unmarshal([]byte(line), &record); err != nil {
		return line
	}
	return cmp.Or(record.Error, record.Msg, line)
}
