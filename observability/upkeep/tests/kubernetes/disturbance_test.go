//go:build e2e

package kubernetes

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
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
	{"rolling update of roll", true, func(t *testing.T) {
		replace(t, "roll", "patch", "deployment/roll", "--patch",
			`{"spec": {"template": {"metadata": {"labels": {"app.kubernetes.io/version": "next-`+randomHex(3)+`"}}}}}`)
	}},
	{"rolling update of the gateways", true, func(t *testing.T) { replace(t, "gateway", "rollout", "restart", "statefulset/gateway") }},
	{"rolling update of the agents", true, func(t *testing.T) { replace(t, "collector", "rollout", "restart", "daemonset/collector-agent") }},
	{"one process of roll killed", false, func(t *testing.T) { crash(t, "roll") }},
	{"one gateway's process killed", false, func(t *testing.T) { crash(t, "gateway") }},
	{"an agent's process killed", false, func(t *testing.T) { crash(t, "collector") }},
	{"the process of die killed", false, func(t *testing.T) { crash(t, "die") }},
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
var harmless = disturbance{"all rolling updates", true, func(t *testing.T) {
	for _, d := range all {
		if d.harmless {
			d.happen(t)
		}
	}
}}

// disturbances tries what must do no harm. With KUBERNETES_TABLE=1 it tries all by itself, and writes the README's table.
func disturbances(t *testing.T, engines engines, page string) {
	results := table.New("What happens", "Takes", "Runs", "Failed", "Slowest", "Spans", "Incomplete traces", "Unlogged", "Rolls", "Counted")
	write := os.Getenv("KUBERNETES_TABLE") != ""
	chosen := []disturbance{harmless}
	if write {
		chosen = all
	}
	for _, d := range chosen {
		t.Run(d.name, func(t *testing.T) { results.Row(d.try(t, engines, page)...) })
	}
	t.Log(results)
	if write && !t.Failed() {
		if err := results.Write(directory+"/README.md", "disturbances"); err != nil {
			t.Error(err)
		}
	}
}

// try returns the row of the table.
func (d disturbance) try(t *testing.T, engines engines, page string) []string {
	start := time.Now().Add(-time.Second)
	l := startLoad(t, page, 8)
	l.wait(t, 50)
	began := time.Now()
	d.happen(t)
	took := time.Since(began)
	l.wait(t, 50)
	runs := l.end()

	failed, slowest := make(map[string]int), time.Duration(0)
	var answered []dice
	rolls := 0
	for _, r := range runs {
		slowest = max(slowest, r.took)
		switch {
		case r.err != nil:
			failed["no response"]++
		case r.status != 200:
			failed[strconv.Itoa(r.status)]++
		default:
			answered = append(answered, r)
			rolls += r.times
		}
	}
	spans, incomplete := engines.spans(answered)
	unlogged := engines.unlogged(answered, start)
	if d.harmless && len(failed)+len(incomplete)+len(unlogged) > 0 {
		t.Errorf("failed %v\nincomplete traces %v\nwithout log records %v", failed, incomplete, unlogged)
	}
	return []string{
		d.name, took.Round(time.Second).String(), strconv.Itoa(len(runs)), list(failed), slowest.Round(100 * time.Millisecond).String(),
		strconv.Itoa(spans), strconv.Itoa(len(incomplete)), strconv.Itoa(len(unlogged)),
		strconv.Itoa(rolls), strconv.Itoa(engines.counted(t, start)),
	}
}

func list(failed map[string]int) string {
	var texts []string
	for _, what := range slices.Sorted(maps.Keys(failed)) {
		texts = append(texts, fmt.Sprintf("%d × %s", failed[what], what))
	}
	return strings.Join(append(texts, "0")[:max(1, len(texts))], ", ")
}

const settled = 90 * time.Second // a service keeps what is not acknowledged for 60 s; after that, it is lost

// spans counts the spans of all runs, and returns the runs whose traces lack some.
func (e engines) spans(runs []dice) (total int, incomplete []error) {
	left := slices.Clone(runs)
	for start := time.Now(); ; time.Sleep(time.Second) {
		incomplete = nil
		left = slices.DeleteFunc(left, func(r dice) bool {
			spans, err := e.Trace(r.trace)
			if err == nil {
				err = r.complete(spans)
			}
			if err != nil {
				incomplete = append(incomplete, fmt.Errorf("%s: %w", r.trace, err))
				return false
			}
			total += len(spans)
			return true
		})
		if len(left) == 0 || time.Since(start) > settled {
			return total, incomplete
		}
	}
}

// unlogged returns the runs of which the log lacks a record of some service.
func (e engines) unlogged(runs []dice, since time.Time) (missing []string) {
	for start := time.Now(); ; time.Sleep(time.Second) {
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
		if len(missing) == 0 || time.Since(start) > settled {
			return missing
		}
	}
}

// counted returns how many rolls the gateways have counted since a time, by the spans that reached them. A span that was sent
// twice counts twice.
func (e engines) counted(t *testing.T, since time.Time) int {
	t.Helper()
	count, changed := 0, time.Now()
	eventually(t, "a count that no longer grows", func() error {
		now, err := e.Increase(`traces_span_metrics_calls_total{span_name="roll die"}`, since)
		if err == nil && now != count {
			count, changed = now, time.Now()
		}
		if err == nil && time.Since(changed) < 20*time.Second { // four intervals of the connector
			err = fmt.Errorf("%d now", count)
		}
		return err
	})
	return count
}
