package upstream_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"example.com/dice/shared/httptelemetry"
	"example.com/dice/shared/upstream"
)

// lastType keeps the exception.type of the last log record.
type lastType struct{ name string }

func (l *lastType) OnEmit(_ context.Context, r *sdklog.Record) error {
	r.WalkAttributes(func(a attribute.KeyValue) bool {
		if a.Key == "exception.type" {
			l.name = a.Value.AsString()
		}
		return true
	})
	return nil
}

func (*lastType) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (*lastType) Shutdown(context.Context) error                         { return nil }
func (*lastType) ForceFlush(context.Context) error                       { return nil }

const patience = 30 * time.Second

// TestErrorType wants each kind of failed call to have one error.type in its span and metric, and the same type in the log
// record that is written of it.
func TestErrorType(t *testing.T) {
	server := failingServer(t)
	away := httptest.NewServer(nil)
	away.Close()
	const (
		timeout  = "context.deadlineExceededError"
		canceled = "example.com/dice/shared/httptelemetry.canceled"
	)
	type want struct{ span, metric, log string }
	all := func(kind string) want { return want{kind, kind, kind} }
	tests := []struct {
		name, url string
		timeout   time.Duration // of the client
		end       func(context.Context) (context.Context, context.CancelFunc)
		want      want
	}{
		{"refused", away.URL, patience, context.WithCancel, all("net.OpError")},
		{"unknown host", "http://nowhere.invalid", patience, context.WithCancel, all("net.OpError")},
		{"client's timeout", server + "/slow", 50 * time.Millisecond, context.WithCancel, all(timeout)},
		{"client's timeout for the body", server + "/half", 50 * time.Millisecond, context.WithCancel, want{timeout, "", timeout}},
		{"caller's deadline", server + "/slow", patience, deadline, all(timeout)},
		{"caller's past deadline", server + "/slow", patience, pastDeadline, all(timeout)},
		{"canceled", server + "/slow", patience, cancelSoon, all(canceled)},
		{"no response", server + "/broken", patience, context.WithCancel, all("errors.errorString")},
		// The duration is recorded before the body arrives.
		{"half a response", server + "/cut", patience, context.WithCancel, want{"errors.errorString", "", "errors.errorString"}},
		{"404", server + "/404", patience, context.WithCancel, all("404")},
		{"503", server + "/503", patience, context.WithCancel, all("503")},
		{"status that no standard knows", server + "/999", patience, context.WithCancel, all("999")},
		{"not JSON", server + "/", patience, context.WithCancel, want{"", "", "json.SyntaxError"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			spans, metrics, logs := tracetest.NewSpanRecorder(), sdkmetric.NewManualReader(), new(lastType)
			client := &http.Client{Timeout: test.timeout, Transport: otelhttp.NewTransport(httptelemetry.Client(upstream.Connections()),
				otelhttp.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))),
				otelhttp.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(metrics))))}
			ctx, cancel := test.end(t.Context())
			defer cancel()
			err := upstream.GetJSON(ctx, client, test.url, new(struct{}))
			logger := otelslog.NewLogger("test", otelslog.WithLoggerProvider(sdklog.NewLoggerProvider(sdklog.WithProcessor(logs))))
			logger.ErrorContext(ctx, "failed", "error", err)

			of := attribute.NewSet(spans.Ended()[0].Attributes()...)
			kind, _ := of.Value("error.type")
			// Where otelhttp writes net.OpError in metrics, it writes *net.OpError in spans. The collector removes the asterisk.
			got := want{strings.TrimPrefix(kind.AsString(), "*"), durationErrorType(t, metrics), strings.TrimPrefix(logs.name, "*")}
			if got != test.want {
				t.Errorf("%v: %+v, want %+v", err, got, test.want)
			}
		})
	}
}

func deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, 50*time.Millisecond)
}

func pastDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, -1)
}

func cancelSoon(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	time.AfterFunc(50*time.Millisecond, cancel)
	return ctx, cancel
}

// failingServer fails in the way that the path names. It returns its URL.
func failingServer(t *testing.T) string {
	t.Helper()
	stop := make(chan struct{})
	wait := func(r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-stop:
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := strings.TrimPrefix(r.URL.Path, "/"); path {
		case "slow":
			wait(r)
		case "half":
			_, _ = w.Write([]byte("{"))
			w.(http.Flusher).Flush()
			wait(r)
		case "broken":
			panic(http.ErrAbortHandler)
		case "cut":
			w.Header().Set("Content-Length", "10")
			_, _ = w.Write([]byte("{"))
		case "":
			_, _ = w.Write([]byte("<"))
		default:
			status, err := strconv.Atoi(path)
			if err != nil {
				t.Error(err)
			}
			w.WriteHeader(status)
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(stop) })
	return server.URL
}

// durationErrorType returns the error.type of the only call.
func durationErrorType(t *testing.T, reader sdkmetric.Reader) string {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if durations, ok := m.Data.(metricdata.Histogram[float64]); ok && m.Name == "http.client.request.duration" && len(durations.DataPoints) == 1 {
				kind, _ := durations.DataPoints[0].Attributes.Value("error.type")
				return kind.AsString()
			}
		}
	}
	t.Fatal("not one http.client.request.duration")
	return ""
}
