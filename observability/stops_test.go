package observability_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/runner"
	"example.com/dice/observability/internal/store"
)

// longestStop is 10 s for requests under way, and 3 s for telemetry.
const longestStop = 13 * time.Second

// TestStops stops each service of the last stage under load and starts it again, and stops the traffic generator in
// the middle of its run. No request that a service took may go without its whole reply. None that had one may lack its
// span, its log records, or its place in the metric.
//
// Each is stopped three times, or as often as STOPS says. Then the table of the README is written anew:
//
//	STOPS=20 go test -count=1 -timeout 30m -run TestStops -v ./observability
func TestStops(t *testing.T) {
	t.Parallel()
	rounds, err := strconv.Atoi(cmp.Or(os.Getenv("STOPS"), "3"))
	if err != nil || rounds < 1 {
		t.Fatalf("STOPS=%q: want a whole number from 1", os.Getenv("STOPS"))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	variables := with(t, "MAX_WAIT", "50ms")
	variables["LATENCY"] = "20ms" // so that there are always requests under way
	variables["MAX_ROLLS_PER_USER"] = "10000"
	s, err := compose.Load(ctx, root, slices.Max(stages(t)), compose.Settings{Override: environ(variables)})
	if err != nil {
		t.Fatal(err)
	}
	running, err := runner.Start(ctx, s, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	stops := &stops{stage: s, running: running, rounds: rounds, log: make(map[string][]stop)}
	err = stops.all(ctx)
	if stopped := running.Stop(); err != nil || stopped != nil {
		t.Fatalf("%v, stop: %v", err, stopped)
	}

	var rows []figures
	for _, service := range []string{"roll", "die", "frontend"} {
		rows = append(rows, stops.figures(service))
	}
	rows = append(rows, stops.figuresOfTraffic())
	for _, row := range rows {
		row.check(t, rounds)
	}
	stops.checkUsers(t)
	figures := stopsTable(rows)
	t.Log(figures)
	if os.Getenv("STOPS") != "" && !t.Failed() {
		if err := figures.Write(filepath.Join(root, "observability", "README.md"), "stops"); err != nil {
			t.Fatal(err)
		}
	}
}

// stops are stops and starts of services, under load.
type stops struct {
	stage   *compose.Stage
	running *runner.Runner
	rounds  int
	load    callers
	log     map[string][]stop // by service
}

// stop is when a process was told to stop, and how long it took.
type stop struct {
	at   time.Time
	took time.Duration
}

func (s *stops) all(ctx context.Context) error {
	for _, service := range []string{"roll", "die"} {
		users := s.load.start(ctx, "frontend", s.stage.URL("frontend"), 2)
		err := s.stopAndStart(ctx, service)
		users()
		if err != nil {
			return err
		}
	}
	if err := s.stopAndStart(ctx, "frontend"); err != nil {
		return err
	}
	for range s.rounds {
		if err := s.interrupt(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stopAndStart stops a service and starts it again while clients go on, and lets them have some replies in between.
func (s *stops) stopAndStart(ctx context.Context, service string) error {
	const clients = 6
	defer s.load.start(ctx, service, s.stage.URL(service), clients)()
	for range s.rounds {
		if err := s.waitForReplies(ctx, service, clients*(1+rand.IntN(20))); err != nil {
			return err
		}
		at := time.Now()
		if err := s.running.StopService(service); err != nil {
			return err
		}
		s.log[service] = append(s.log[service], stop{at, time.Since(at)})
		if err := s.running.StartService(ctx, service); err != nil {
			return err
		}
	}
	return s.waitForReplies(ctx, service, clients)
}

// waitForReplies also wants a request under way: clients that go in step may all pause at once.
func (s *stops) waitForReplies(ctx context.Context, service string, more int) error {
	want := s.load.replies(service) + more
	return poll(ctx, fmt.Sprintf("%d replies of %s", more, service), func() bool {
		return s.load.replies(service) >= want && s.load.underWay(service) > 0
	})
}

// interrupt stops the traffic generator as soon as there are spans of it.
func (s *stops) interrupt(ctx context.Context) error {
	before := len(s.log["traffic"])
	run, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.running.Traffic(run, new(bytes.Buffer)) }()
	if err := poll(ctx, "spans of the traffic generator", func() bool {
		return len(ended) > 0 || countInstances(s.running.Store, "traffic") > before
	}); err != nil {
		return err
	}
	at := time.Now()
	cancel()
	err := <-ended
	s.log["traffic"] = append(s.log["traffic"], stop{at, time.Since(at)})
	if err == nil || !strings.Contains(err.Error(), "stopping traffic: exit status 1: ") {
		return fmt.Errorf("the traffic generator's end: %w", err)
	}
	return nil
}

// poll waits for what must happen within a minute.
func poll(ctx context.Context, what string, happened func() bool) error {
	for deadline := time.Now().Add(time.Minute); !happened(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("no %s within a minute", what)
		}
	}
	return nil
}

// checkUsers wants users of the page to see, while the roll service or the die service is away, that it is. They may see
// 502 if it closed a connection before it read the request; [stops.cutOffBetween] counts what it had taken.
func (s *stops) checkUsers(t *testing.T) {
	t.Helper()
	seen := make(map[int]int)
	for _, c := range s.load.of("frontend") {
		seen[c.status]++
	}
	t.Logf("users of the page saw, by status: %v", seen)
	for _, status := range []int{0, 200, 303, 401, 502, 503, 504} { // 0: the frontend itself was away; 504: a busy machine
		delete(seen, status)
	}
	if len(seen) > 0 {
		t.Errorf("users saw other statuses: %v", seen)
	}
}

// countInstances counts the processes of a service that there are spans of.
func countInstances(s *store.Store, service string) int {
	instances := make(map[string]bool)
	for _, span := range s.Spans() {
		if span.Service == service {
			instances[span.Resource["service.instance.id"]] = true
		}
	}
	return len(instances)
}

// spansByParent returns the server spans of a service. None counts twice that was delivered twice.
func spansByParent(s *store.Store, service string) (byParent map[string]int, all int) {
	byParent = make(map[string]int)
	known := make(map[string]bool)
	for _, span := range s.Spans() {
		if span.Service == service && span.Kind == "server" && !known[span.ID] {
			known[span.ID] = true
			byParent[span.Parent]++
		}
	}
	return byParent, len(known)
}
