package telemetry_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"example.com/dice/shared/telemetry"
)

// lose makes the SDK lose telemetry in all ways that it knows, several times. It runs in a process of its own, because the SDK
// warns of some of them only once per process.
func lose() {
	ctx := context.Background()
	stop, err := telemetry.Start(ctx, "tested", os.Stdout)
	if err != nil {
		panic(err)
	}
	for range 20 {
		attributes := trace.WithAttributes(attribute.Int("a", 1), attribute.Int("b", 2))
		_, span := otel.Tracer("test").Start(ctx, "too many", attributes)
		span.AddEvent("first")
		span.AddEvent("second")
		span.AddLink(trace.Link{Attributes: []attribute.KeyValue{attribute.Int("a", 1)}})
		span.AddLink(trace.Link{Attributes: []attribute.KeyValue{attribute.Int("b", 2)}})
		span.End()

		var record log.Record
		record.AddAttributes(attribute.Int("a", 1), attribute.Int("b", 2), attribute.Int("", 3))
		otel.GetLoggerProvider().Logger("").Emit(ctx, record)
		record.AddAttributes(attribute.Int("a", 3))
		otel.GetLoggerProvider().Logger("test").Emit(ctx, record)

		telemetry.Must(otel.Meter("").Int64Counter("same.name"))
		telemetry.Must(otel.Meter("test").Int64Counter("same.name", metric.WithUnit("{a}")))
		telemetry.Must(otel.Meter("test").Int64Counter("same.name", metric.WithUnit("{b}")))
	}
	// After those, because the queues are full now.
	for range 5000 {
		_, span := otel.Tracer("test").Start(ctx, "work")
		span.End()
		otel.GetLoggerProvider().Logger("test").Emit(ctx, log.Record{})
	}
	if err := stop(ctx, nil); err != nil {
		panic(err)
	}
}

func TestLossesAreReportedOnceWithTheirNumber(t *testing.T) {
	received, url := startReceiver(t)
	process, out := startRun(t, "lose", "OTEL_EXPORTER_OTLP_ENDPOINT="+url, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
		"OTEL_BSP_MAX_QUEUE_SIZE=10", "OTEL_BLRP_MAX_QUEUE_SIZE=10", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=1",
		"OTEL_SPAN_EVENT_COUNT_LIMIT=1", "OTEL_SPAN_LINK_COUNT_LIMIT=1", "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT=1")
	if err := process.Wait(); err != nil {
		t.Fatal(err)
	}
	lines, dropped := make(map[string]int), make(map[string]int)
	for text := range strings.Lines(out.String()) {
		var line struct {
			Level, Msg, Error string
			Dropped           int
		}
		if err := json.Unmarshal([]byte(text), &line); err != nil || line.Msg != "telemetry error" || line.Level != "WARN" {
			t.Fatalf("line %s", text)
		}
		lines[line.Error]++
		dropped[line.Error] += line.Dropped
	}
	for _, want := range []string{
		"dropped spans", "dropped log records", "limit reached: dropping trace Span attributes", "limit reached: dropping trace trace.Event",
		"limit reached: dropping trace trace.Link", "limit reached: dropping log Record attributes", "key duplication: dropping key-value pair",
		"invalid attribute: dropping attribute with empty key", "Invalid Logger name.", "Invalid Meter name.", "duplicate metric stream definitions",
	} {
		if lines[want] == 0 || lines[want] > 2 { // the second has the number of repetitions
			t.Errorf("%d lines about %q", lines[want], want)
		}
		delete(lines, want)
	}
	if len(lines) > 0 {
		t.Errorf("also reported: %v", lines)
	}
	if got := len(received.spans) + dropped["dropped spans"]; got != 5020 {
		t.Errorf("%d spans arrived and %d are reported as dropped, want 5020 together", len(received.spans), dropped["dropped spans"])
	}
	if got := len(received.records) + dropped["dropped log records"]; got != 5040 {
		t.Errorf("%d records arrived and %d are reported as dropped, want 5040 together", len(received.records), dropped["dropped log records"])
	}
}

func TestReasonOfTheEndIsLogged(t *testing.T) {
	received, url := startReceiver(t)
	setenv(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+url, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc")
	var out console
	stop := start(t, &out)
	slog.Info("first")
	cause := fmt.Errorf("listening: %w", io.ErrUnexpectedEOF)
	if err := stop(t.Context(), cause); err == nil || err.Error() != cause.Error() {
		t.Errorf("stop returns %v", err)
	}
	bodies := []string{}
	for _, record := range received.records {
		bodies = append(bodies, record.GetBody().GetStringValue())
	}
	if want := []string{"first", "program failed"}; !slices.Equal(bodies, want) {
		t.Fatalf("records %v, want %v", bodies, want)
	}
	if last := received.records[1]; last.GetSeverityText() != "ERROR" || !strings.Contains(last.String(), cause.Error()) {
		t.Errorf("the last record is %s", last)
	}
	if strings.Contains(out.String(), "unexpected") {
		t.Errorf("the console has the error too, which the program prints: %s", &out)
	}
}
