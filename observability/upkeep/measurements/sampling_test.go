//go:build measurements

package measurements

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/upkeep/internal/engine"
	"example.com/dice/observability/upkeep/internal/stack"
	"example.com/dice/observability/upkeep/internal/table"
)

const samplingReadme = "../../sampling/README.md"

// TestSamplingCost sends the same traffic without sampling, with sampling at the head and at the tail, and writes the table of the
// README: what each saves, and what can be asked afterwards. Each is run three times, or as often as SAMPLING says.
func TestSamplingCost(t *testing.T) {
	times, err := strconv.Atoi(cmp.Or(os.Getenv("SAMPLING"), "3"))
	if err != nil {
		t.Fatal(err)
	}
	head := []string{"OTEL_TRACES_SAMPLER=parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG=0.05"}
	begin := []string{"NUM_USERS=1", "MAX_ROLLS_PER_USER=1"}
	results := make(map[string][]string) // by row
	for _, variant := range []struct {
		name    string
		start   func(t *testing.T) *stack.Stack
		sampler []string
	}{
		{"everything", func(t *testing.T) *stack.Stack { return stack.Start(t, repository, stack.SampledStage, begin...) }, nil},
		{"head", func(t *testing.T) *stack.Stack { return stack.Start(t, repository, stack.SampledStage, begin...) }, head},
		{"tail", func(t *testing.T) *stack.Stack { return stack.StartSampled(t, repository, begin...) }, nil},
	} {
		t.Run(variant.name, func(t *testing.T) {
			s := variant.start(t)
			s.WaitForTraffic(t)
			measured := make(map[string][]float64)
			for range times {
				for row, value := range measureSampling(t, s, variant.sampler) {
					measured[row] = append(measured[row], value)
				}
			}
			t.Log(measured)
			for row, values := range measured {
				results[row] = append(results[row], between(row, values))
			}
		})
	}
	tb := table.New("", "Everything", "Head, 5 %", "This overlay")
	for _, row := range samplingRows {
		tb.Row(append([]string{row}, results[row]...)...)
	}
	writeTableTo(t, samplingReadme, tb, "cost")
}

// The rows of the table. A share is in percent.
const (
	rowSpans     = "Spans from the services, for each run of dice"
	rowBytes     = "kB to Tempo, for each run"
	rowCPU       = "CPU of the collectors, ms for each run"
	rowMemory    = "Memory of the collectors, MiB"
	rowFailed    = "Failed runs whose trace is there, %"
	rowSlow      = "Batches of 0.9 s and more whose trace is there, %"
	rowAny       = "Runs in the log whose trace is there, %"
	rowExemplars = "Exemplars whose trace is there, %"
	rowMetrics   = "Requests that span metrics count, %"
)

var samplingRows = []string{rowSpans, rowBytes, rowCPU, rowMemory, rowFailed, rowSlow, rowAny, rowExemplars, rowMetrics}

// between returns the least and the greatest of some values.
func between(row string, values []float64) string {
	digits := 0
	if row == rowSpans || row == rowBytes {
		digits = 1
	}
	least := strconv.FormatFloat(slices.Min(values), 'f', digits, 64)
	most := strconv.FormatFloat(slices.Max(values), 'f', digits, 64)
	if least == most {
		return least
	}
	return least + " to " + most
}

// measureSampling sends traffic, and returns what it cost and what is known of it, by row.
func measureSampling(t *testing.T, s *stack.Stack, sampler []string) map[string]float64 {
	t.Helper()
	begin := time.Now()
	before := takeSamplingCounts(t, s)
	runs := float64(s.Traffic(t, 10, 100, func() {}, sampler...).Rolls)
	after := waitUntilSampled(t, s)

	ids, err := engine.Local.TraceQL("{}")
	if err != nil {
		t.Fatal(err)
	}
	kept := make(map[string]bool)
	for _, id := range ids {
		kept[strings.Repeat("0", 32-len(id))+id] = true
	}
	share := func(ids []string) float64 {
		return 100 * float64(len(ids)-len(slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return kept[id] }))) / float64(len(ids))
	}
	var failed, slow, all []string
	for _, r := range s.FailedRuns(t) {
		if r.At.After(begin) {
			failed = append(failed, r.Trace)
		}
	}
	for _, record := range s.Logs(t, "roll", "batch rolled") {
		if duration, ok := record["dice.batch.duration"].(float64); ok && duration >= 0.9 && timeOf(t, record).After(begin) {
			slow = append(slow, fmt.Sprint(record["trace_id"]))
		}
	}
	for _, record := range s.Logs(t, "frontend", "run") {
		if timeOf(t, record).After(begin) {
			all = append(all, fmt.Sprint(record["trace_id"]))
		}
	}
	exemplified, err := engine.Local.Exemplars("http_server_request_duration_seconds_bucket")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]float64{
		rowSpans:     (after.spans - before.spans) / runs,
		rowBytes:     (after.bytes - before.bytes) / runs / 1000,
		rowCPU:       (after.cpu - before.cpu).Seconds() * 1000 / runs,
		rowMemory:    after.memory,
		rowFailed:    share(failed),
		rowSlow:      share(slow),
		rowAny:       share(all),
		rowExemplars: share(exemplified),
		rowMetrics:   100 * (after.spanMetrics - before.spanMetrics) / (after.requests - before.requests),
	}
}

// samplingCounts are counters of the stack.
type samplingCounts struct {
	spans, bytes          float64 // from the services, and to Tempo
	spanMetrics, requests float64 // of the roll service
	cpu                   time.Duration
	memory                float64 // MiB
}

func takeSamplingCounts(t *testing.T, s *stack.Stack) samplingCounts {
	t.Helper()
	var c samplingCounts
	for query, value := range map[string]*float64{
		`otelcol_receiver_accepted_spans_total{job="collector"}`:                            &c.spans,
		`traces_span_metrics_calls_total{service_name="roll",span_kind="SPAN_KIND_SERVER"}`: &c.spanMetrics,
		`http_server_request_duration_seconds_count{service_name="roll"}`:                   &c.requests,
	} {
		n, err := engine.Local.Total(query)
		if err != nil {
			t.Fatal(err)
		}
		*value = float64(n)
	}
	var err error
	if c.bytes, err = tempoReceived(); err != nil {
		t.Fatal(err)
	}
	for _, service := range strings.Fields(s.Compose(t, "ps", "--services", "--status=running")) {
		if service == "collector" || strings.HasPrefix(service, "gateway-") {
			r := resourcesOfService(t, s, service)
			c.cpu += r.cpu
			c.memory += float64(r.memory) / (1 << 20)
		}
	}
	return c
}

// waitUntilSampled waits until no more spans come to Tempo, and metrics no longer change.
func waitUntilSampled(t *testing.T, s *stack.Stack) samplingCounts {
	t.Helper()
	last, since := takeSamplingCounts(t, s), time.Now()
	stack.Eventually(t, "the end of all spans", func() error {
		c := takeSamplingCounts(t, s)
		if c.bytes != last.bytes || c.spanMetrics != last.spanMetrics || c.requests != last.requests {
			since = time.Now()
		}
		last = c
		if time.Since(since) < 20*time.Second { // longer than a gateway waits
			return errors.New("they go on")
		}
		return nil
	})
	return last
}

// tempoReceived returns how many bytes of spans Tempo has received.
func tempoReceived() (float64, error) {
	response, err := engine.Client.Get(engine.Local.Tempo + "/metrics")
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(body) {
		if name, value, found := strings.Cut(strings.TrimSpace(string(line)), "} "); found && strings.HasPrefix(name, "tempo_distributor_bytes_received_total{") {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, nil // no span so far
}
