package telemetry_test

import (
	"io"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"example.com/dice/shared/telemetry"
)

// TestMetricsOfThePrometheusClient exports what a program already measures for its /metrics, as the README of stage 1 says.
func TestMetricsOfThePrometheusClient(t *testing.T) {
	receiver, url := startReceiver(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	t.Setenv("OTEL_METRICS_PRODUCERS", "prometheus")
	orders := promauto.NewCounter(prometheus.CounterOpts{Name: "orders_total", Help: "Orders."})
	stop, err := telemetry.Start(t.Context(), "shop", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	orders.Inc()
	if err := stop(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	receiver.mu.Lock()
	defer receiver.mu.Unlock()
	if !slices.Contains(receiver.metrics, "orders_total") {
		t.Errorf("arrived: %v", receiver.metrics)
	}
}
