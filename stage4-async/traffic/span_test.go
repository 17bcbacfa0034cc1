package main

import (
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func TestRollMakesClientSpans(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)))

	users := newUsers(config{target: startTarget(t).URL, users: 2, maxRollsPerUser: 1, maxTimesPerRoll: 2})
	if _, _, err := users[1].roll(t.Context()); err != nil {
		t.Fatal(err)
	}
	spans := recorder.Ended()
	if len(spans) != 2 || spans[0].Name() != "GET /" || spans[1].Name() != "POST /" {
		t.Fatalf("spans %v, want GET / and POST /", spans)
	}
	for _, span := range spans {
		attributes := attribute.NewSet(span.Attributes()...)
		if label, _ := attributes.Value("traffic.user"); label.AsString() != "User 2" || span.SpanKind() != trace.SpanKindClient {
			t.Errorf("span %s: kind %s, traffic.user %q, want a client span of User 2", span.Name(), span.SpanKind(), label.AsString())
		}
	}
}
