package main

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"example.com/dice/shared/telemetry"
)

// scope names the package that creates the spans and metrics.
const scope = "example.com/dice/roll"

var (
	tracer = otel.Tracer(scope, trace.WithInstrumentationVersion(telemetry.Version()), trace.WithSchemaURL(semconv.SchemaURL))
	meter  = otel.Meter(scope, metric.WithInstrumentationVersion(telemetry.Version()), metric.WithSchemaURL(semconv.SchemaURL))

	rolls = telemetry.Must(meter.Int64Counter("dice.rolls",
		metric.WithUnit("{roll}"),
		metric.WithDescription("Dice rolled, by die, outcome and value."),
	))
	rollWait = telemetry.Must(meter.Float64Histogram("dice.roll.wait",
		metric.WithUnit("s"),
		metric.WithDescription("Random wait before a roll."),
		// MAX_WAIT is 1 s by default: ten equal buckets up to 1 s, and a few for longer waits.
		metric.WithExplicitBucketBoundaries(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 2.5, 5, 10),
	))
)
