package telemetry_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"example.com/dice/shared/telemetry"
)

// setenv clears all OTEL_ variables and sets those given, each as "NAME=value".
func setenv(t *testing.T, variables ...string) {
	t.Helper()
	for _, variable := range os.Environ() {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "OTEL_") {
			t.Setenv(name, value) // restores it after the test
			os.Unsetenv(name)
		}
	}
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
}

func start(t *testing.T, out io.Writer) func(context.Context, error) error {
	t.Helper()
	stop, err := telemetry.Start(t.Context(), "tested", out)
	if err != nil {
		t.Fatal(err)
	}
	return stop
}

// work makes one span named work with one log record, and counts work.done once.
func work(ctx context.Context) trace.SpanContext {
	ctx, span := otel.Tracer("test").Start(ctx, "work")
	defer span.End()
	counter, err := otel.Meter("test").Int64Counter("work.done")
	if err != nil {
		panic(err)
	}
	counter.Add(ctx, 1)
	slog.InfoContext(ctx, "worked", "answer", 42)
	return span.SpanContext()
}

func TestSignalIsExportedIfItsExporterOrAnEndpointIsSet(t *testing.T) {
	received, url := startReceiver(t)
	all := []string{"traces", "metrics", "logs"}
	tests := map[string]struct {
		env  []string
		want []string
	}{
		"nothing set":                {nil, nil},
		"endpoint":                   {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + url}, all},
		"endpoint of traces":         {[]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=" + url}, all[:1]},
		"endpoint of metrics":        {[]string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=" + url}, all[1:2]},
		"endpoint of logs":           {[]string{"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=" + url}, all[2:]},
		"endpoint, traces none":      {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + url, "OTEL_TRACES_EXPORTER=none"}, all[1:]},
		"endpoint, metrics none":     {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + url, "OTEL_METRICS_EXPORTER=none"}, []string{"traces", "logs"}},
		"endpoint, logs none":        {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + url, "OTEL_LOGS_EXPORTER=none"}, all[:2]},
		"all none":                   {[]string{"OTEL_TRACES_EXPORTER=none", "OTEL_METRICS_EXPORTER=none", "OTEL_LOGS_EXPORTER=none"}, nil},
		"exporter otlp and endpoint": {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + url, "OTEL_TRACES_EXPORTER=otlp"}, all},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			setenv(t, append(test.env, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc")...)
			received.spans, received.metrics, received.records = nil, nil, nil
			var out bytes.Buffer
			stop := start(t, &out)
			work(t.Context())
			if err := stop(t.Context(), nil); err != nil {
				t.Errorf("stop: %v", err)
			}
			if got := received.signals(); !slices.Equal(got, test.want) {
				t.Errorf("received %v, want %v", got, test.want)
			}
			if lines := strings.Count(out.String(), "\n"); lines != 1 {
				t.Errorf("wrote %d lines to stdout, want the one log record:\n%s", lines, out.String())
			}
		})
	}
}

func TestBadValueIsNamed(t *testing.T) {
	tests := []struct{ variable, want string }{
		{"OTEL_TRACES_EXPORTER=jaegar", `OTEL_TRACES_EXPORTER="jaegar"`},
		{"OTEL_METRICS_EXPORTER=statsd", `OTEL_METRICS_EXPORTER="statsd"`},
		{"OTEL_LOGS_EXPORTER=syslog", `OTEL_LOGS_EXPORTER="syslog"`},
		{"OTEL_EXPORTER_OTLP_PROTOCOL=http", `OTEL_EXPORTER_OTLP_PROTOCOL="http"`},
		{"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=tcp", `OTEL_EXPORTER_OTLP_METRICS_PROTOCOL="tcp"`},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317", `OTEL_EXPORTER_OTLP_ENDPOINT="collector:4317"`},
		{"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=http://", `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="http://"`},
		{"OTEL_PROPAGATORS=w3c", `OTEL_PROPAGATORS="w3c"`},
		{"OTEL_RESOURCE_ATTRIBUTES=team", `OTEL_RESOURCE_ATTRIBUTES="team"`},
	}
	for _, test := range tests {
		t.Run(test.variable, func(t *testing.T) {
			env := []string{"OTEL_TRACES_EXPORTER=none", "OTEL_METRICS_EXPORTER=none", "OTEL_LOGS_EXPORTER=none"}
			if strings.Contains(test.variable, "PROTOCOL") {
				env = []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:1"}
			}
			setenv(t, append(env, test.variable)...)
			_, err := telemetry.Start(t.Context(), "tested", io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want it to contain %s", err, test.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error has several lines: %q", err)
			}
		})
	}
}

func TestErrorsOfTheSDKGoToTheConsoleOnly(t *testing.T) {
	received, url := startReceiver(t)
	received.refuse = func(metadata.MD) error { return status.Error(codes.InvalidArgument, "refused") }
	setenv(t, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="+url, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_BLRP_SCHEDULE_DELAY=1")
	var out console
	stop := start(t, &out)
	work(t.Context())
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(out.String(), "refused"); {
		if time.Now().After(deadline) {
			t.Fatalf("the console does not say that the export was refused:\n%s", out.String())
		}
		time.Sleep(time.Millisecond)
	}
	if err := stop(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if received.logCalls != 1 {
		t.Errorf("log records were exported %d times, want once", received.logCalls)
	}
}

// console is a buffer for concurrent use.
type console struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.Write(p)
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.String()
}

func TestLogLinesAndRecordsHaveTheTraceID(t *testing.T) {
	received, url := startReceiver(t)
	setenv(t, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="+url, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc")
	var out bytes.Buffer
	stop := start(t, &out)
	span := work(t.Context())
	slog.Default().With("a", 1).InfoContext(trace.ContextWithSpanContext(t.Context(), span), "with attribute")
	slog.Debug("too detailed")
	if err := stop(t.Context(), nil); err != nil {
		t.Fatal(err)
	}

	for line := range strings.Lines(out.String()) {
		var got map[string]any
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("not a JSON line: %s", line)
		}
		if got["trace_id"] != span.TraceID().String() || got["span_id"] != span.SpanID().String() {
			t.Errorf("line without the span's ids: %s", line)
		}
	}
	if len(received.records) != 2 {
		t.Fatalf("received %d log records, want 2", len(received.records))
	}
	for _, record := range received.records {
		if got := hex.EncodeToString(record.GetTraceId()); got != span.TraceID().String() {
			t.Errorf("record %v has trace id %s, want %s", record.GetBody(), got, span.TraceID())
		}
	}
}

func TestDisabledSDKLogsToTheConsoleOnly(t *testing.T) {
	received, url := startReceiver(t)
	setenv(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+url, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_SDK_DISABLED=true")
	var out bytes.Buffer
	stop := start(t, &out)
	slog.InfoContext(t.Context(), "worked")
	if err := stop(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := received.signals(); len(got) > 0 || !strings.Contains(out.String(), `"msg":"worked"`) {
		t.Errorf("%v arrived, and the console has %q", got, out.String())
	}
}

func TestResource(t *testing.T) {
	received, url := startReceiver(t)
	setenv(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+url, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
		"OTEL_RESOURCE_ATTRIBUTES=service.namespace=theirs,team=red")
	stop := start(t, io.Discard)
	work(t.Context())
	if err := stop(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"service.name":      "tested",
		"service.namespace": "theirs",
		"service.version":   telemetry.Version(),
		"team":              "red",
	}
	for key, value := range want {
		if got := received.attribute(key); got != value {
			t.Errorf("%s = %q, want %q", key, got, value)
		}
	}
	for _, key := range []string{"service.instance.id", "host.name"} {
		if received.attribute(key) == "" {
			t.Errorf("no %s", key)
		}
	}
}
