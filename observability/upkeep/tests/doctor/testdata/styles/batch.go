package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// batch is a nightly job without a server: it reads chunks from a database, and one of them fails and is tried again.
func batch(ctx context.Context) error {
	meter := otel.Meter("github.com/acme/styles", metric.WithInstrumentationVersion("2.3.1"))
	rows, err := meter.Int64Counter("acme.import.rows", metric.WithUnit("{row}"))
	if err != nil {
		return err
	}
	took, err := meter.Float64Histogram("acme.import.duration", metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(0.001, 0.01, 0.1, 1, 10))
	if err != nil {
		return err
	}
	ctx, root := tracer.Start(ctx, "nightly import")
	defer root.End()
	slog.InfoContext(ctx, "import started", "source", "legacy")
	for chunk := range 6 {
		begin := time.Now()
		if err := load(ctx, chunk); err != nil {
			slog.WarnContext(ctx, "chunk failed, trying again", "chunk", chunk, "error", err)
			if err := load(ctx, -1); err != nil {
				return err
			}
		}
		rows.Add(ctx, 100)
		took.Record(ctx, time.Since(begin).Seconds())
	}
	slog.InfoContext(ctx, "import finished")
	return nil
}

func load(ctx context.Context, chunk int) (err error) {
	ctx, span := tracer.Start(ctx, "load chunk", trace.WithAttributes(attribute.Int("acme.chunk", chunk)))
	defer func() {
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
			span.SetAttributes(semconv.ErrorType(err))
		}
		span.End()
	}()
	_, query := tracer.Start(ctx, "SELECT rows", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		semconv.DBSystemNamePostgreSQL, semconv.DBQueryText("SELECT * FROM rows WHERE chunk = $1"), semconv.DBQuerySummary("SELECT rows"),
		semconv.ServerAddress("db.acme.internal"),
	))
	defer query.End()
	time.Sleep(time.Millisecond)
	if chunk == 3 {
		query.SetStatus(codes.Error, "deadlock detected")
		query.SetAttributes(semconv.DBResponseStatusCode("40P01"), semconv.ErrorTypeKey.String("40P01"))
		return fmt.Errorf("loading chunk: %w", context.DeadlineExceeded)
	}
	return nil
}
