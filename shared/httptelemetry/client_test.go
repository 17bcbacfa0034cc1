package httptelemetry_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"example.com/dice/shared/httptelemetry"
)

func TestClient(t *testing.T) {
	tests := map[string]struct {
		status, resends int
		errorType       string
	}{
		"200":               {http.StatusOK, 0, ""},
		"404":               {http.StatusNotFound, 0, "404"},
		"503, sent 1 again": {http.StatusServiceUnavailable, 1, "503"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(test.status) }))
			defer server.Close()
			spans, metrics := tracetest.NewSpanRecorder(), sdkmetric.NewManualReader()
			transport := otelhttp.NewTransport(httptelemetry.Client(http.DefaultTransport),
				otelhttp.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))),
				otelhttp.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(metrics))))
			ctx := httptelemetry.WithResendCount(t.Context(), test.resends)
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := (&http.Client{Transport: transport}).Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()

			of := attribute.NewSet(spans.Ended()[0].Attributes()...)
			if resends, _ := of.Value("http.request.resend_count"); int(resends.AsInt64()) != test.resends {
				t.Errorf("the span has http.request.resend_count %v, want %d", resends.AsInt64(), test.resends)
			}
			for _, set := range durations(t, metrics) {
				if got, _ := set.Value("error.type"); got.AsString() != test.errorType {
					t.Errorf("the metric has error.type %q, want %q", got.AsString(), test.errorType)
				}
			}
		})
	}
}

// durations returns the attributes of each series of http.client.request.duration. There must be one.
func durations(t *testing.T, reader sdkmetric.Reader) []attribute.Set {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	var sets []attribute.Set
	for _, scope := range data.ScopeMetrics {
		for _, metric := range scope.Metrics {
			if points, ok := metric.Data.(metricdata.Histogram[float64]); ok && metric.Name == "http.client.request.duration" {
				for _, point := range points.DataPoints {
					sets = append(sets, point.Attributes)
				}
			}
		}
	}
	if len(sets) != 1 {
		t.Fatalf("http.client.request.duration has %d series, want 1", len(sets))
	}
	return sets
}
