package stages

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/contrib/otelconf"
	"go.opentelemetry.io/otel/log"
)

// TestDeclarativeConfiguration wants the file of stage 1's exercise to send all three signals, from the service that it names.
func TestDeclarativeConfiguration(t *testing.T) {
	var mu sync.Mutex
	from := make(map[string]string) // service.name by path
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		traces, metrics, logs := ptraceotlp.NewExportRequest(), pmetricotlp.NewExportRequest(), plogotlp.NewExportRequest()
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.URL.Path == "/v1/traces" && traces.UnmarshalProto(body) == nil:
			name, _ := traces.Traces().ResourceSpans().At(0).Resource().Attributes().Get("service.name")
			from[r.URL.Path] = name.Str()
		case r.URL.Path == "/v1/metrics" && metrics.UnmarshalProto(body) == nil:
			name, _ := metrics.Metrics().ResourceMetrics().At(0).Resource().Attributes().Get("service.name")
			from[r.URL.Path] = name.Str()
		case r.URL.Path == "/v1/logs" && logs.UnmarshalProto(body) == nil:
			name, _ := logs.Logs().ResourceLogs().At(0).Resource().Attributes().Get("service.name")
			from[r.URL.Path] = name.Str()
		}
	}))
	defer collector.Close()
	t.Setenv("COLLECTOR", collector.URL)
	t.Setenv("OTEL_CONFIG_FILE", filepath.Join(root, "stage1-roll", "labs", "otel.yaml"))

	sdk, err := otelconf.NewSDK(otelconf.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	_, span := sdk.TracerProvider().Tracer("test").Start(t.Context(), "roll die")
	span.End()
	counter, err := sdk.MeterProvider().Meter("test").Int64Counter("dice.rolls")
	if err != nil {
		t.Fatal(err)
	}
	counter.Add(t.Context(), 1)
	sdk.LoggerProvider().Logger("test").Emit(t.Context(), log.Record{})
	if fields := slices.Sorted(slices.Values(sdk.Propagator().Fields())); !slices.Equal(fields, []string{"baggage", "traceparent", "tracestate"}) {
		t.Errorf("the propagator writes %v", fields)
	}
	if err := sdk.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if want := map[string]string{"/v1/traces": "roll", "/v1/metrics": "roll", "/v1/logs": "roll"}; !maps.Equal(from, want) {
		t.Errorf("arrived: %v, want %v", from, want)
	}
}
