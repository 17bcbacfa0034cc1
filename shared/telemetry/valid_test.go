package telemetry_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// TestHostileValuesCostNothing wants all telemetry to arrive, also what is sent together with values that OTLP cannot
// carry: a batch of spans with such user agents is larger than what a collector takes at once.
func TestHostileValuesCostNothing(t *testing.T) {
	received, url := startReceiver(t)
	setenv(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+url, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc")
	var out bytes.Buffer
	stop := start(t, &out)
	for range 100 {
		_, span := otel.Tracer("test").Start(t.Context(), "hostile", trace.WithAttributes(
			attribute.String("not UTF-8", "a\xffb"), attribute.String("huge", strings.Repeat("x", 64<<10)), attribute.String("enduser.id", "Ada")))
		span.End()
	}
	slog.InfoContext(t.Context(), "hostile", "die", "a\xffb", slog.Group("group", "die", "\xc3\x28"), "number", 7, "huge", strings.Repeat("x", 64<<10))
	work(t.Context())
	if err := stop(t.Context(), nil); err != nil {
		t.Error(err)
	}

	if got := received.signals(); !slices.Equal(got, []string{"traces", "metrics", "logs"}) || len(received.spans) != 101 || len(received.records) != 2 {
		t.Fatalf("%v arrived, %d spans, %d records\n%s", got, len(received.spans), len(received.records), out.String())
	}
	record := received.records[0].String()
	if len(record) > 4<<10 {
		t.Errorf("the record has %d bytes: its attributes are not cut", len(record))
	}
	for _, want := range []string{"a\uFFFDb", "\uFFFD(", "int_value:7"} {
		if !strings.Contains(record, want) {
			t.Errorf("no %q in the record %s", want, record)
		}
	}
	for _, attribute := range received.attributes {
		if attribute.GetKey() == "enduser.id" {
			t.Fatalf("a caller's name is in a span: %s", attribute)
		}
	}
	if strings.Contains(out.String(), "telemetry error") {
		t.Errorf("the SDK reports %s", out.String())
	}
}
