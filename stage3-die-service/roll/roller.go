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

// roller rolls dice after a random wait of up to maxWait.
type roller struct {
	chance  *rand.Rand
	maxWait time.Duration
}

// rollDie waits, then rolls the die once. It fails with errDieFailed or with the error of ctx.
// It creates one span and counts one roll.
func (r roller) rollDie(ctx context.Context, d die) (int, error) {
	identifier := attribute.String("die.identifier", d.identifier)
	ctx, span := tracer.Start(ctx, "roll die", trace.WithAttributes(identifier))
	defer span.End()

	value, err := r.waitAndRoll(ctx, d)
	attributes := outcome("dice.roll.outcome", err)
	if err == nil {
		attributes = append(attributes, attribute.Int("die.value", value))
	}
	if failed(err) {
		span.SetStatus(codes.Error, err.Error())
	}
	span.SetAttributes(attributes...)
	rolls.Add(ctx, 1, metric.WithAttributes(append(attributes, identifier)...))
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

// outcome returns the attributes of an outcome: name is rolled, failed or canceled. Only failures have an error.type, which
// is what the error's method ErrorType returns, or else its Go type. Unlike error messages, it has few values.
func outcome(name attribute.Key, err error) []attribute.KeyValue {
	switch {
	case err == nil:
		return []attribute.KeyValue{name.String("rolled")}
	case failed(err):
		return []attribute.KeyValue{name.String("failed"), semconv.ErrorType(err)}
	default:
		return []attribute.KeyValue{name.String("canceled")}
	}
}

// failed reports whether an error is a failure. A canceled roll has not failed.
func failed(err error) bool { return err != nil && !errors.Is(err, context.Canceled) }
