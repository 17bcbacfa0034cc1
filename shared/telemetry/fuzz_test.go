package telemetry_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace"

	"example.com/dice/shared/telemetry"
)

// FuzzAnyTextArrives puts a text wherever spans, records and metrics take one, and wants all of them to arrive, because a text
// that is not UTF-8, or huge, would lose all that is sent with it.
func FuzzAnyTextArrives(f *testing.F) {
	for _, text := range []string{
		"", "a", "größe", "a\xffb", "\xc3\x28", "\xed\xa0\x80", "\x00", "a\nb", "\xff\xfe", "\uFFFD",
		strings.Repeat("x", 1<<18), strings.Repeat("ä", 1<<18), strings.Repeat("\xff", 1<<18),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, aggregation := range []string{"explicit_bucket_histogram", "base2_exponential_bucket_histogram"} {
			received, url := startReceiver(t)
			setenv(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+url, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION="+aggregation)
			toExemplars := sdkmetric.NewView(sdkmetric.Instrument{Name: "made.filtered*"},
				sdkmetric.Stream{AttributeFilter: func(attribute.KeyValue) bool { return false }})
			stop, err := telemetry.Start(t.Context(), text[:min(len(text), 1000)], io.Discard, toExemplars)
			if err != nil {
				t.Fatal(err)
			}
			ctx, spans := makeSpans(t.Context(), text)
			records := makeRecords(ctx, text)
			metrics := makeMetrics(ctx, text)
			if err := stop(t.Context(), errors.New(text)); strings.Contains(err.Error(), "flushing") {
				t.Errorf("stop returns %.300s", strings.TrimPrefix(err.Error(), text))
			}
			made := slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(received.metrics))), func(name string) bool { return !strings.HasPrefix(name, "made.") })
			if len(received.spans) != spans || len(received.records) != records+1 || len(made) != metrics {
				t.Errorf("%d of %d spans, %d of %d records, %d of %d metrics arrived", len(received.spans), spans, len(received.records), records+1, len(made), metrics)
			}
			if size := len(received.arrived()); size > 4<<20 {
				t.Errorf("%d bytes arrived", size)
			}
		}
	})
}

// attributesOf returns attributes of all types that hold a text, and one with it as the key.
func attributesOf(text string) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("string", text),
		attribute.StringSlice("strings", []string{"a", text}),
		attribute.Slice("slice", attribute.StringValue(text), attribute.SliceValue(attribute.StringValue(text))),
		attribute.Map("map", attribute.String(text, text), attribute.Map("map", attribute.StringSlice(text, []string{text}))),
		attribute.ByteSlice("bytes", []byte(text)),
		attribute.Int(text, 1),
	}
}

func makeSpans(ctx context.Context, text string) (context.Context, int) {
	attributes := attributesOf(text)
	state := propagation.MapCarrier{"traceparent": "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01", "tracestate": text}
	ctx = otel.GetTextMapPropagator().Extract(ctx, state)
	tracer := otel.Tracer(text, trace.WithInstrumentationVersion(text), trace.WithSchemaURL(text), trace.WithInstrumentationAttributes(attributes...))
	ctx, span := tracer.Start(ctx, text, trace.WithAttributes(attributes...), trace.WithLinks(trace.Link{SpanContext: trace.SpanContextFromContext(ctx), Attributes: attributes}))
	span.AddEvent(text, trace.WithAttributes(attributes...))
	span.RecordError(errors.New(text), trace.WithStackTrace(true))
	span.SetStatus(codes.Error, text)
	span.End()
	_, other := otel.Tracer("test").Start(ctx, "other")
	other.End()
	return ctx, 2
}

func makeRecords(ctx context.Context, text string) int {
	attributes := attributesOf(text)
	slog.With("with", text).WithGroup(text).InfoContext(ctx, text, text, text, "error", errors.New(text), "any", map[string][]string{text: {text}}, slog.Group("group", "a", text))
	logger := otel.GetLoggerProvider().Logger(text, log.WithInstrumentationVersion(text), log.WithSchemaURL(text), log.WithInstrumentationAttributes(attributes...))
	for _, a := range attributes {
		var record log.Record
		record.SetTimestamp(time.Now())
		record.SetEventName(text)
		record.SetSeverityText(text)
		record.SetBody(a.Value)
		record.AddAttributes(attributes...)
		logger.Emit(ctx, record)
	}
	return 1 + len(attributes)
}

func makeMetrics(ctx context.Context, text string) int {
	attributes := metric.WithAttributes(attributesOf(text)...)
	meter := otel.Meter(text, metric.WithInstrumentationVersion(text), metric.WithSchemaURL(text), metric.WithInstrumentationAttributes(attributesOf(text)...))
	if counter, err := meter.Int64Counter(text); err != nil && counter != nil { // the name may be invalid, but it counts
		counter.Add(ctx, 1)
	}
	description, unit := metric.WithDescription(text), metric.WithUnit(text)
	telemetry.Must(meter.Int64Counter("made.counter", description, unit)).Add(ctx, 1, attributes)
	telemetry.Must(meter.Float64Counter("made.float.counter", description, unit)).Add(ctx, 1, attributes)
	telemetry.Must(meter.Int64UpDownCounter("made.updown", description, unit)).Add(ctx, 1, attributes)
	telemetry.Must(meter.Int64Gauge("made.gauge", description, unit)).Record(ctx, 1, attributes)
	telemetry.Must(meter.Float64Gauge("made.float.gauge", description, unit)).Record(ctx, 1, attributes)
	telemetry.Must(meter.Int64Histogram("made.histogram", description, unit)).Record(ctx, 1, attributes)
	telemetry.Must(meter.Float64Histogram("made.float.histogram", description, unit)).Record(ctx, 1, attributes)
	telemetry.Must(meter.Int64Counter("made.filtered.counter")).Add(ctx, 1, attributes)
	telemetry.Must(meter.Float64Gauge("made.filtered.gauge")).Record(ctx, 1, attributes)
	telemetry.Must(meter.Int64Histogram("made.filtered.histogram")).Record(ctx, 1, attributes)
	return 10
}
