//go:build measurements

// Package stops measures what a stop of a service costs.
package stops

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"example.com/dice/observability/internal/collector"
	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/freeport"
	"example.com/dice/observability/internal/runner"
	"example.com/dice/observability/internal/stages"
	"example.com/dice/observability/internal/store"
	"example.com/dice/observability/upkeep/internal/table"
)

const (
	root        = "../../../.."
	rounds      = 20
	clients     = 6
	longestStop = 13 * time.Second // 10 s for requests under way, and 3 s for telemetry
)

func TestMain(m *testing.M) {
	collector.RunIfChild()
	os.Exit(m.Run())
}

// TestStops stops each service of the last stage under load and starts it again. No request that a service took may go without
// its whole reply. None that had one may lack its span, its log records, or its place in the metric. It writes a table of the README.
func TestStops(t *testing.T) {
	names, err := stages.Names(root)
	if err != nil {
		t.Fatal(err)
	}
	variables := append(freeport.Variables(), "MAX_WAIT=50ms", "LATENCY=20ms") // there are always requests under way
	stage, err := compose.Load(t.Context(), root, slices.Max(names), compose.Settings{Override: variables})
	if err != nil {
		t.Fatal(err)
	}
	running, err := runner.Start(t.Context(), stage, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	services := []string{"roll", "die", "frontend"}
	var measured []*figures
	for _, service := range services {
		var f *figures
		if f, err = stopAndStart(t.Context(), running, service, stage.URL(service)); err != nil {
			break
		}
		measured = append(measured, f)
	}
	if stopped := running.Stop(); err != nil || stopped != nil {
		t.Fatalf("%v, stop: %v", err, stopped)
	}
	tb := table.New("service", "stops", "requests", "cut off", "lost: spans", "log records", "counted requests", "median stop", "longest")
	for _, f := range measured {
		f.count(running.Store)
		f.check(t)
		tb.Row(f.service, strconv.Itoa(len(f.took)), strconv.Itoa(f.replies), strconv.Itoa(f.cutOff),
			strconv.Itoa(f.spans), strconv.Itoa(f.records), strconv.Itoa(f.counts), f.median().String(), slices.Max(f.took).String())
	}
	t.Log(tb)
	if !t.Failed() {
		if err := tb.Write("../README.md", "stops"); err != nil {
			t.Fatal(err)
		}
	}
}

// figures say what became of the requests to a service, and of their telemetry, while it was stopped and started.
type figures struct {
	service string
	calls   []call
	at      []time.Time     // when it was told to stop
	took    []time.Duration // until it had stopped

	replies  int // whole ones
	underWay int // of these, when the service was told to stop
	refused  int // connections
	unread   int // requests on a connection that the service closed before it read them
	cutOff   int // requests that it handled without a whole reply

	spans, records, counts int // lost
	surplus                int // in the metric, of requests of which nothing else tells
}

// stopAndStart stops a service and starts it again while clients go on, and lets them have some replies in between.
func stopAndStart(ctx context.Context, running *runner.Runner, service, url string) (*figures, error) {
	f := &figures{service: service}
	load := startLoad(ctx, service, url, clients)
	defer func() { f.calls = load.end() }()
	for range rounds {
		if err := load.waitForReplies(ctx, clients*(1+rand.IntN(20))); err != nil {
			return nil, err
		}
		f.at = append(f.at, time.Now())
		if err := running.StopService(service); err != nil {
			return nil, err
		}
		f.took = append(f.took, time.Since(f.at[len(f.at)-1]).Round(time.Millisecond))
		if err := running.StartService(ctx, service); err != nil {
			return nil, err
		}
	}
	return f, load.waitForReplies(ctx, clients)
}

// count compares what the clients had with what the telemetry says. A request without a reply was cut off if there is a span
// of it.
func (f *figures) count(s *store.Store) {
	spans, all := spansByParent(s, f.service)
	records := make(map[string]int)
	for _, record := range s.Records() {
		if record.Service == f.service {
			records[record.TraceID]++
		}
	}
	for _, c := range f.calls {
		handled := spans[c.span]
		switch {
		case c.err == nil:
			f.replies++
			f.cutOff += max(0, handled-1)
			f.spans += max(0, 1-handled)
			f.records += max(0, c.records()-records[c.trace])
			if slices.ContainsFunc(f.at, func(at time.Time) bool { return c.begin.Before(at) && c.end.After(at) }) {
				f.underWay++
			}
		case handled > 0:
			f.cutOff += handled
		case c.refused():
			f.refused++
		default:
			f.unread++
		}
	}
	counted := 0
	for _, point := range s.Points() {
		if point.Service == f.service && point.Name == "http.server.request.duration" {
			counted += point.Count
		}
	}
	f.counts, f.surplus = max(0, all+f.spans-counted), max(0, counted-all-f.spans)
}

// spansByParent counts the server spans of a service, once those that were delivered twice.
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

// check wants nothing cut off, nothing lost, and no slow stop.
func (f *figures) check(t *testing.T) {
	t.Helper()
	t.Logf("%s: %d under way at a stop, %d closed unread, %d refused", f.service, f.underWay, f.unread, f.refused)
	for what, n := range map[string]int{
		"requests cut off": f.cutOff, "lost spans": f.spans, "lost log records": f.records, "lost counts": f.counts,
		"unknown requests in the metric": f.surplus,
	} {
		if n != 0 {
			t.Errorf("%s: %d %s", f.service, n, what)
		}
	}
	if longest := slices.Max(f.took); longest > longestStop {
		t.Errorf("%s took %s to stop", f.service, longest)
	}
	if f.underWay == 0 {
		t.Errorf("%s had no request under way at any stop: this tests nothing", f.service)
	}
}

func (f *figures) median() time.Duration {
	return slices.Sorted(slices.Values(f.took))[len(f.took)/2]
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
