//go:build e2e

package kubernetes

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/dice/observability/upkeep/internal/probe"
	"example.com/dice/observability/upkeep/internal/table"
)

// disturbance is something that happens to pods while users run dice.
type disturbance struct {
	name     string
	harmless bool               // it must cost no request and no span
	happen   func(t *testing.T) // returns when it is over
}

var all = []disturbance{
	{"roll updated", true, func(t *testing.T) {
		replace(t, "roll", "patch", "deployment/roll", "--patch",
			`{"spec": {"template": {"metadata": {"labels": {"app.kubernetes.io/version": "next-`+randomHex(3)+`"}}}}}`)
	}},
	{"gateways updated", true, func(t *testing.T) { replace(t, "gateway", "rollout", "restart", "statefulset/gateway") }},
	{"agents updated", true, func(t *testing.T) { replace(t, "collector", "rollout", "restart", "daemonset/collector-agent") }},
	{"roll killed", false, func(t *testing.T) { crash(t, "roll") }},
	{"gateway killed", false, func(t *testing.T) { crash(t, "gateway") }},
	{"agent killed", false, func(t *testing.T) { crash(t, "collector") }},
	{"die killed", false, func(t *testing.T) { crash(t, "die") }},
}

// replace has kubectl replace all pods of a service, and waits until those before are gone.
func replace(t *testing.T, service string, arguments ...string) {
	t.Helper()
	before := pods(t, service)
	kubectl(t, arguments...)
	eventually(t, "the end of the pods before", func() error {
		for _, p := range pods(t, service) {
			if slices.ContainsFunc(before, func(old pod) bool { return old.Metadata.UID == p.Metadata.UID }) || !p.ready() {
				return fmt.Errorf("%s is there, or is not ready", p.Metadata.Name)
			}
		}
		return nil
	})
}

// harmless is all that must do no harm, one after the other under the same load.
var harmless = disturbance{"all three updated", true, func(t *testing.T) {
	for _, d := range all {
		if d.harmless {
			d.happen(t)
		}
	}
}}

// disturbances tries what must do no harm. With KUBERNETES_TABLE=1 it tries everything, and writes the README's table.
func disturbances(t *testing.T, engines engines, page string) {
	if os.Getenv("KUBERNETES_TABLE") == "" {
		t.Log(harmless.try(t, engines, page))
		return
	}
	rows := table.New("Disturbance", "Runs", "Failed", "Incomplete traces", "Missing log records", "Rolls", "Counted by roll", "Counted from spans")
	for _, d := range append(all, harmless) {
		t.Run(d.name, func(t *testing.T) {
			r := d.try(t, engines, page)
			t.Log(r)
			rows.Row(r.row(d.name)...)
		})
	}
	t.Log(rows)
	if !t.Failed() {
		if err := rows.Write(directory+"/README.md", "disturbances"); err != nil {
			t.Error(err)
		}
	}
}

// result is what became of the runs during a disturbance, and of their telemetry.
type result struct {
	runs                       int
	failed                     map[string]int // runs without a roll, by status
	incomplete                 []error        // traces
	unlogged                   []string       // services and traces
	rolls, bySDK, bySpanMetric int
}

// counters are those of rolls, by the SDK and by the gateways.
var counters = []string{`dice_rolls_total{dice_roll_outcome="rolled"}`, `traces_span_metrics_calls_total{span_name="roll die"}`}

// try makes something happen under load.
func (d disturbance) try(t *testing.T, engines engines, page string) result {
	engines.counted(t, time.Now(), counters...) // what was rolled before is counted before
	start := time.Now()
	l := startLoad(t, page, 8)
	l.wait(t, 50)
	d.happen(t)
	got := result{failed: make(map[string]int)}
	l.wait(t, 50)
	runs := l.end()

	got.runs = len(runs)
	var answered []dice
	for _, r := range runs {
		switch {
		case r.err != nil:
			got.failed["no response"]++
		case r.status != 200:
			got.failed[strconv.Itoa(r.status)]++
		default:
			answered = append(answered, r)
			got.rolls += r.times
		}
	}
	deadline := time.Now().Add(settled)
	got.incomplete = engines.spans(answered, start, deadline)
	got.unlogged = engines.unlogged(answered, start, deadline)
	counts := engines.counted(t, start, counters...)
	got.bySDK, got.bySpanMetric = counts[0], counts[1]
	if d.harmless && (len(got.failed)+len(got.incomplete)+len(got.unlogged) > 0 || got.bySDK != got.rolls) {
		t.Errorf("%+v", got)
	}
	return got
}

// row is a row of the README's table.
func (r result) row(name string) []string {
	return []string{
		name, strconv.Itoa(r.runs), list(r.failed),
		strconv.Itoa(len(r.incomplete)), strconv.Itoa(len(r.unlogged)),
		strconv.Itoa(r.rolls), strconv.Itoa(r.bySDK), strconv.Itoa(r.bySpanMetric),
	}
}

func (r result) String() string { return strings.Join(r.row("a disturbance"), ", ") }

func list(failed map[string]int) string {
	var texts []string
	for _, what := range slices.Sorted(maps.Keys(failed)) {
		texts = append(texts, fmt.Sprintf("%d × %s", failed[what], what))
	}
	return strings.Join(append(texts, "0")[:max(1, len(texts))], ", ")
}

const settled = 90 * time.Second // a service keeps what is not acknowledged for 60 s; after that, it is lost

// spans returns the runs whose traces lack spans.
func (e engines) spans(runs []dice, since, deadline time.Time) (incomplete []error) {
	for ; ; time.Sleep(time.Second) {
		runs, incomplete = e.missing(runs, since)
		if len(runs) == 0 || time.Now().After(deadline) {
			return incomplete
		}
	}
}

// missing asks for the trace of each run, several at once, and returns the runs whose traces are not complete, with the reasons.
func (e engines) missing(runs []dice, since time.Time) (left []dice, reasons []error) {
	var mu sync.Mutex
	var group sync.WaitGroup
	for part := range slices.Chunk(runs, 1+len(runs)/8) {
		group.Go(func() {
			for _, r := range part {
				spans, err := e.TraceSince(r.trace, since)
				if err == nil {
					err = r.complete(spans)
				}
				if err != nil {
					mu.Lock()
					left, reasons = append(left, r), append(reasons, fmt.Errorf("%s: %w", r.trace, err))
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	return left, reasons
}

// unlogged returns the runs of which the log lacks a record of some service.
func (e engines) unlogged(runs []dice, since, deadline time.Time) (missing []string) {
	for ; ; time.Sleep(time.Second) {
		missing = nil
		for _, service := range []string{"frontend", "roll", "die"} {
			records, err := e.LogQLBetween(probe.Dice, `{service_name="`+service+`"} | trace_id != ""`, since, time.Now().Add(time.Minute))
			logged := make(map[string]bool)
			for _, r := range records {
				logged[r["trace_id"]] = true
			}
			for _, r := range runs {
				if err != nil || !logged[r.trace] {
					missing = append(missing, service+" "+r.trace)
				}
			}
		}
		if len(missing) == 0 || time.Now().After(deadline) {
			return missing
		}
	}
}

// counted returns by how much each selector's counters have grown since a time, once they no longer grow.
func (e engines) counted(t *testing.T, since time.Time, selectors ...string) (counts []int) {
	t.Helper()
	changed := time.Now()
	eventually(t, "counts that no longer grow", func() error {
		var now []int
		for _, selector := range selectors {
			count, err := e.Increase(selector, since)
			if err != nil {
				return err
			}
			now = append(now, count)
		}
		if !slices.Equal(now, counts) {
			counts, changed = now, time.Now()
		}
		if time.Since(changed) < 20*time.Second { // four intervals of the exporters
			return fmt.Errorf("%d now", counts)
		}
		return nil
	})
	return counts
}
