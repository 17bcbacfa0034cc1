package main

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

type message struct {
	id   string
	from trace.SpanContext
}

// queue is a worker that takes messages from a queue in memory, later, in traces of their own that are linked.
func queue(ctx context.Context) error {
	waiting, err := otel.Meter("github.com/acme/styles", metric.WithInstrumentationVersion("2.3.1")).
		Int64UpDownCounter("acme.queue.waiting", metric.WithUnit("{message}"))
	if err != nil {
		return err
	}
	messages := make(chan message, 100)
	var workers sync.WaitGroup
	for i := range 3 {
		workers.Go(func() {
			for m := range messages {
				waiting.Add(ctx, -1)
				process(ctx, m, i)
			}
		})
	}
	for i := range 30 {
		id := strconv.Itoa(1000 + i)
		_, span := tracer.Start(ctx, "send mails", trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(about(id)...),
			trace.WithAttributes(semconv.MessagingOperationTypeSend))
		waiting.Add(ctx, 1)
		messages <- message{id, span.SpanContext()}
		span.End()
	}
	close(messages)
	workers.Wait()
	return nil
}

func about(id string) []attribute.KeyValue {
	return []attribute.KeyValue{
		semconv.MessagingSystemKey.String("memory"), semconv.MessagingDestinationName("mails"), semconv.MessagingMessageID(id),
	}
}

func process(ctx context.Context, m message, worker int) {
	time.Sleep(20 * time.Millisecond) // it has waited in the queue
	ctx, span := tracer.Start(ctx, "process mails", trace.WithSpanKind(trace.SpanKindConsumer), trace.WithLinks(trace.Link{SpanContext: m.from}),
		trace.WithAttributes(about(m.id)...), trace.WithAttributes(semconv.MessagingOperationTypeProcess, attribute.Int("acme.worker", worker)))
	defer span.End()
	_, render := tracer.Start(ctx, "render template")
	time.Sleep(time.Millisecond)
	render.End()
	slog.InfoContext(ctx, "mail sent", "messaging.message.id", m.id)
}
