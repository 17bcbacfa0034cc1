//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/internal/readme"
	"example.com/dice/observability/upkeep/internal/engine"
	"example.com/dice/observability/upkeep/internal/probe"
	"example.com/dice/observability/upkeep/internal/stack"
)

const (
	samplingDirectory = "observability/sampling"
	keptOfTheRest     = 0.05
)

// TestSampling sends a known number of requests. It wants all traces with an error, whole, of the others no more and no fewer
// than chance allows, and metrics that count every request. At the end it kills a gateway, which must lose no other traces than those
// that waited for its decision.
func TestSampling(t *testing.T) {
	s := stack.StartSampled(t, repository, "MAX_ROLLS_PER_USER=150")
	generated := s.WaitForTraffic(t)
	t.Run("errors", func(t *testing.T) { checkErrors(t, s, generated) })
	t.Run("others", checkOthers)
	t.Run("metrics", func(t *testing.T) { checkUnsampled(t, generated) })
	t.Run("usage records", func(t *testing.T) { checkRuns(t, generated.Rolls) })
	t.Run("panels of the stage", func(t *testing.T) { checkPanels(t, stack.SampledStage) })
	t.Run("queries of the README", func(t *testing.T) {
		for _, query := range queries(t, samplingDirectory) {
			if query.Argument == "" {
				stack.Eventually(t, "a query of the README", func() error { return hasData(source(query), query.Text) })
			} else if err := underLoad(t, s, query); !errors.Is(err, errNoData) {
				t.Errorf("%s without its fault: want no data, got: %v", query.Argument, err)
			}
		}
	})
	t.Run("killed gateway", func(t *testing.T) {
		killed := stack.SamplingFault{Name: "a gateway is killed", Service: "gateway-1", How: "kill", Away: 30 * time.Second, Loses: true, Cuts: true}
		killed.Try(t, s)
	})
}

// underLoad asks for a symptom at a time when the traffic had been going on for a while: rates that lag behind others differ from
// them when it begins and after it ends. It returns errNoData if the symptom was not there.
func underLoad(t *testing.T, s *stack.Stack, symptom readme.Block) error {
	t.Helper()
	if symptom.Language != "promql" {
		return hasData(source(symptom), symptom.Text)
	}
	end := stack.TimeOf(t, s.Logs(t, "traffic", "traffic generation is complete")[0])
	at := strconv.FormatInt(end.Add(-15*time.Second).Unix(), 10)
	var reply struct {
		Data struct{ Result []engine.Sample }
	}
	err := engine.GetJSON(probe.Dice, engine.Local.Prometheus+"/api/v1/query", url.Values{"query": {symptom.Text}, "time": {at}}, &reply)
	if err == nil && len(reply.Data.Result) == 0 {
		err = fmt.Errorf("%w: %s", errNoData, symptom.Text)
	}
	return err
}

// checkErrors wants the trace of each run that failed, with all its spans.
func checkErrors(t *testing.T, s *stack.Stack, generated stack.Summary) {
	t.Helper()
	failed := s.FailedRuns(t)
	if len(failed) == 0 || len(failed) != generated.Replies["500"] {
		t.Errorf("the roll service wrote of %d failures, users saw %d", len(failed), generated.Replies["500"])
	}
	for _, r := range failed {
		stack.Eventually(t, "the trace of a failed run", r.InTempo)
	}
}

// checkOthers waits for all decisions, and wants all that was kept in Tempo, whole. Of the traces that are neither slow nor have
// an error there must be as many as chance allows.
func checkOthers(t *testing.T) {
	// Each request of a user to the page is one trace.
	requests, err := engine.Local.Total(`http_server_request_duration_seconds_count{service_name="frontend"}`)
	if err != nil || requests == 0 {
		t.Fatalf("%d requests: %v", requests, err)
	}
	decisions := func(selector string) func() (int, error) {
		return func() (int, error) {
			return engine.Local.Total("otelcol_processor_tail_sampling_global_count_traces_sampled_total" + selector)
		}
	}
	stack.Eventually(t, "one decision for each trace", func() error { return equals(decisions(""), requests) })
	want, err := decisions(`{sampled="true"}`)()
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	stack.Eventually(t, "what was kept, in Tempo", func() (err error) {
		kept, err = engine.Local.TraceQL("{}")
		return errors.Join(err, equals(func() (int, error) { return len(kept), nil }, want))
	})
	for _, id := range kept {
		stack.Eventually(t, "a whole trace", func() error {
			spans, err := engine.Local.Trace(strings.Repeat("0", 32-len(id)) + id) // Tempo leaves out leading zeros
			return errors.Join(err, stack.Whole(spans))
		})
	}
	forced, err := engine.Local.TraceQL(`{ status = error } || { trace:duration >= 900ms }`)
	if err != nil {
		t.Fatal(err)
	}
	rest, chance := requests-len(forced), len(kept)-len(forced)
	mean := keptOfTheRest * float64(rest)
	bounds := 5 * math.Sqrt(mean*(1-keptOfTheRest)) // passed by chance in one of two million runs
	t.Logf("%d traces: %d have an error or are slow, of %d others %d were kept", requests, len(forced), rest, chance)
	if math.Abs(float64(chance)-mean) > bounds {
		t.Errorf("%d of %d traces were kept by chance, want %.0f ± %.0f", chance, rest, mean, bounds)
	}
}

// checkUnsampled wants what is derived from spans to count all requests, and series of both gateways.
func checkUnsampled(t *testing.T, generated stack.Summary) {
	t.Helper()
	for query, want := range map[string]int{
		`traces_span_metrics_calls_total{span_name="roll die"}`:                                                                         generated.AllDice(),
		`traces_span_metrics_calls_total{service_name="roll",span_kind="SPAN_KIND_SERVER",status_code="STATUS_CODE_ERROR"}`:             generated.Replies["500"],
		`count by (collector_instance_id) (traces_span_metrics_calls_total{span_name="roll die"}) > bool 0`:                             2,
		`count by (collector_instance_id) (traces_service_graph_request_total{client="frontend",server="roll"}) > bool 0`:               2,
		`count by (collector_instance_id) (traces_service_graph_request_total{client="frontend",server="roll",failed="true"}) > bool 0`: 2,
	} {
		stack.Eventually(t, query, func() error { return equals(func() (int, error) { return engine.Local.Total(query) }, want) })
	}
	checkCalls(t, stack.SampledStage, generated)
}

// TestSamplingLabs puts each fault of the README in, in a copy of the repository, and wants its symptoms to show.
func TestSamplingLabs(t *testing.T) {
	symptoms := make(map[string][]readme.Block)
	for _, query := range queries(t, samplingDirectory) {
		if query.Argument != "" {
			symptoms[query.Argument] = append(symptoms[query.Argument], query)
		}
	}
	if len(symptoms) == 0 {
		t.Fatal("no labs")
	}
	for _, patch := range slices.Sorted(maps.Keys(symptoms)) {
		t.Run(patch, func(t *testing.T) {
			settings := []string{"MAX_ROLLS_PER_USER=150"}
			if strings.Contains(patch, "too-early") { // as the README says
				settings = []string{"MAX_ROLLS_PER_USER=60", "MAX_WAIT=3s"}
			}
			withPatch(t, samplingDirectory, patch, func(root string) {
				s := stack.StartSampled(t, root, settings...)
				s.WaitForTraffic(t)
				for _, symptom := range symptoms[patch] {
					stack.Eventually(t, symptom.Text, func() error { return underLoad(t, s, symptom) })
				}
			})
		})
	}
}
