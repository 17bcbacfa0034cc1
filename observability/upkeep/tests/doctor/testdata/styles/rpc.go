package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

var errNotFound = errors.New("no such order")

type call struct {
	metadata propagation.MapCarrier
	order    int
	answer   chan error
}

// rpc is a client and a server with a protocol of their own, which follow the conventions for RPC by hand.
func rpc(ctx context.Context) error {
	calls := make(chan call)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for c := range calls {
			c.answer <- serve(otel.GetTextMapPropagator().Extract(context.Background(), c.metadata), c.order)
		}
	}()
	for order := range 20 {
		if err := get(ctx, calls, order); err != nil {
			slog.InfoContext(ctx, "not found", "acme.order", order)
		}
	}
	close(calls)
	<-done
	return nil
}

func get(ctx context.Context, calls chan<- call, order int) error {
	ctx, root := tracer.Start(ctx, "show order")
	defer root.End()
	ctx, span := tracer.Start(ctx, "acme.Orders/Get", trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(semconv.RPCSystemNameGRPC, semconv.RPCMethod("acme.Orders/Get"), semconv.ServerAddress("orders"), semconv.ServerPort(9000)))
	defer span.End()
	c := call{propagation.MapCarrier{}, order, make(chan error)}
	otel.GetTextMapPropagator().Inject(ctx, c.metadata)
	calls <- c
	err := <-c.answer
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
		span.SetAttributes(semconv.RPCResponseStatusCode("NOT_FOUND"), semconv.ErrorTypeKey.String("NOT_FOUND"))
	}
	return err
}

func serve(ctx context.Context, order int) error {
	ctx, span := tracer.Start(ctx, "acme.Orders/Get", trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(semconv.RPCSystemNameGRPC, semconv.RPCMethod("acme.Orders/Get")))
	defer span.End()
	_, find := tracer.Start(ctx, "find order")
	defer find.End()
	time.Sleep(time.Millisecond)
	if order%5 == 0 { // the caller's mistake: no error of the server
		span.SetAttributes(semconv.RPCResponseStatusCode("NOT_FOUND"))
		slog.DebugContext(ctx, "no such order", "acme.order", order)
		return errNotFound
	}
	span.SetAttributes(semconv.RPCResponseStatusCode("OK"))
	return nil
}
