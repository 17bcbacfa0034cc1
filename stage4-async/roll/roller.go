package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// roller rolls dice after a random wait of up to maxWait, up to maxTimes of them at once for one request.
type roller struct {
	chance   *rand.Rand
	maxWait  time.Duration
	maxTimes int
}

// roll waits, and rolls the die once. It fails with errDieFailed, or with the error of ctx.
// It makes one span and counts one roll.
func (r roller) roll(ctx context.Context, d die) (int, error) {
	identifier := attribute.String("die.identifier", d.identifier)
	ctx, span := tracer.Start(ctx, "roll die", trace.WithAttributes(identifier))
	defer span.End()
	rollsActive.Add(ctx, 1, metric.WithAttributes(identifier))
	defer rollsActive.Add(ctx, -1, metric.WithAttributes(identifier))

	value, err := r.waitAndRoll(ctx, d)
	outcome := attribute.Int("die.value", value)
	if err != nil {
		outcome = semconv.ErrorTypeKey.String(errorType(err))
	}
	if errors.Is(err, errDieFailed) {
		span.SetStatus(codes.Error, err.Error())
	}
	span.SetAttributes(outcome)
	rolls.Add(ctx, 1, metric.WithAttributes(identifier, outcome))
	return value, err
}

func (r roller) waitAndRoll(ctx context.Context, d die) (int, error) {
	if err := r.wait(ctx); err != nil {
		return 0, err
	}
	return d.roll(r.chance)
}

func (r roller) wait(ctx context.Context) error {
	wait := time.Duration(r.chance.Int64N(int64(r.maxWait) + 1))
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		rollWait.Record(ctx, wait.Seconds())
		return nil
	}
}

// errorType returns a value for the attribute error.type: one of a few, unlike the text of an error.
func errorType(err error) string {
	if errors.Is(err, errDieFailed) {
		return "die_failed"
	}
	return "canceled"
}
