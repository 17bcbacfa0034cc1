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
	rollsActive = telemetry.Must(meter.Int64UpDownCounter("dice.roll.active",
		metric.WithUnit("{roll}"),
		metric.WithDescription("Rolls in flight."),
	))
	batchSize = telemetry.Must(meter.Int64Histogram("dice.batch.size",
		metric.WithUnit("{roll}"),
		metric.WithDescription("Dice per request, by die and outcome."),
		// The traffic generator asks for up to ten dice: one bucket for each size, and a few up to MAX_TIMES.
		metric.WithExplicitBucketBoundaries(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 50, 100, 200, 500, 1000),
	))
)
