package main

import (
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func TestRollMakesAClientSpan(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)))

	users := newUsers(config{target: startTarget(t).URL, users: 2, maxRollsPerUser: 1})
	if _, err := users[1].roll(t.Context(), "fair"); err != nil {
		t.Fatal(err)
	}
	spans := recorder.Ended()
	if len(spans) != 1 || spans[0].Name() != "GET /roll" || spans[0].SpanKind() != trace.SpanKindClient {
		t.Fatalf("spans %v, want one client span GET /roll", spans)
	}
	attributes := attribute.NewSet(spans[0].Attributes()...)
	if label, _ := attributes.Value("traffic.user"); label.AsString() != "User 2" {
		t.Errorf("traffic.user %q, want User 2", label.AsString())
	}
}
