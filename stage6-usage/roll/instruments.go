package main

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
)

// scope says in every span and metric which code made it.
const scope = "example.com/dice/roll"

var (
	tracer = otel.Tracer(scope)
	meter  = otel.Meter(scope)

	rolls = must(meter.Int64Counter("dice.rolls",
		metric.WithUnit("{roll}"),
		metric.WithDescription("Dice rolled, by die and by value or error."),
	))
	rollWait = must(meter.Float64Histogram("dice.roll.wait",
		metric.WithUnit("s"),
		metric.WithDescription("Random wait before a roll."),
		// MAX_WAIT is 1 s by default: ten equal buckets up to there, and a few for longer waits.
		metric.WithExplicitBucketBoundaries(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 2.5, 5, 10),
	))
	rollsActive = must(meter.Int64UpDownCounter("dice.rolls.active",
		metric.WithUnit("{roll}"),
		metric.WithDescription("Rolls under way."),
	))
	batchSize = must(meter.Int64Histogram("dice.batch.size",
		metric.WithUnit("{roll}"),
		metric.WithDescription("Rolls that one request asks for, by die and by error."),
		// The traffic generator asks for up to ten: a bucket for each of these, and a few up to MAX_TIMES.
		metric.WithExplicitBucketBoundaries(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 50, 100, 200, 500, 1000),
	))
)

// must panics on what only a wrong instrument name or option can cause.
func must[T any](instrument T, err error) T {
	if err != nil {
		panic(err)
	}
	return instrument
}
