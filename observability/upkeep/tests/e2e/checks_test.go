//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"example.com/dice/observability/upkeep/internal/engine"
	"example.com/dice/observability/upkeep/internal/stack"
)

func checkExemplars(t *testing.T) {
	for _, metric := range []string{
		"http_server_request_duration_seconds_bucket",
		"http_client_request_duration_seconds_bucket",
		"dice_roll_wait_seconds_bucket",
		"traces_span_metrics_duration_seconds_bucket",
	} {
		stack.Eventually(t, "a trace of an exemplar of "+metric, func() error {
			ids, err := engine.Local.Exemplars(metric)
			if err == nil {
				_, err = engine.Local.Trace(ids[0])
			}
			return err
		})
	}
}

// checkOddRequests wants names that do not grow with what callers invent.
func checkOddRequests(t *testing.T) {
	tests := []struct{ method, path, name, status string }{
		{http.MethodGet, "/nowhere", "GET", ""},
		{http.MethodPost, "/roll", "POST", ""},
		{"INVENTED", "/roll", "HTTP", ""},
		{http.MethodGet, "/roll?die=blue", "GET /roll", ""},
	}
	for i, test := range tests {
		id := fmt.Sprintf("%032x", time.Now().UnixNano()+int64(i))
		request, err := http.NewRequestWithContext(t.Context(), test.method, stack.Roll+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("traceparent", "00-"+id+"-0123456789abcdef-01")
		response, err := engine.Client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		expectSpan(t, id, test.name, test.status)
	}

	// A caller who does not wait for the reply.
	var id string
	stack.Eventually(t, "a canceled roll", func() error {
		id = fmt.Sprintf("%032x", time.Now().UnixNano())
		ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond) // the request has to arrive before
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, stack.Roll+"/roll?die=fair", nil)
		if err != nil {
			return err
		}
		request.Header.Set("traceparent", "00-"+id+"-0123456789abcdef-01")
		response, err := engine.Client.Do(request)
		if err == nil {
			response.Body.Close()
			return errors.New("the roll was too fast to cancel")
		}
		return nil
	})
	expectSpan(t, id, "GET /roll", "")
}

// expectSpan waits for the service's span of a trace.
func expectSpan(t *testing.T, id, name, status string) {
	t.Helper()
	stack.Eventually(t, "span "+name, func() error {
		spans, err := engine.Local.Trace(id)
		if err != nil {
			return err
		}
		for _, s := range spans {
			if s.Kind == "SPAN_KIND_SERVER" && s.Name == name && s.Status == status {
				return nil
			}
		}
		return fmt.Errorf("spans %+v", spans)
	})
}

func checkCollectorMetrics(t *testing.T) {
	for _, metric := range []string{
		"otelcol_receiver_accepted_spans_total", "otelcol_receiver_accepted_metric_points_total",
		"otelcol_receiver_accepted_log_records_total", "otelcol_exporter_sent_spans_total",
		"otelcol_exporter_sent_metric_points_total", "otelcol_exporter_sent_log_records_total",
		"otelcol_exporter_queue_capacity",
	} {
		stack.Eventually(t, metric, func() error {
			n, err := engine.Local.Total(metric)
			if err == nil && n == 0 {
				err = errors.New("no value")
			}
			return err
		})
	}
}
