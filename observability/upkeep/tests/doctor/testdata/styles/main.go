// Command styles is several small programs in one, each written as somebody who has never seen this repository might write it. They are
// instrumented correctly, so doctor must not blame them.
package main

import (
	"context"
	"log"
	"log/slog"
	"os"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

var programs = map[string]func(context.Context) error{"web": web, "batch": batch, "queue": queue, "rpc": rpc, "cli": cli, "events": events}

var tracer = otel.Tracer("github.com/acme/styles", trace.WithInstrumentationVersion("2.3.1"))

func main() {
	ctx := context.Background()
	name := os.Args[1]
	shutdown, err := setup(ctx, name)
	if err != nil {
		log.Fatal(err)
	}
	if err := programs[name](ctx); err != nil {
		slog.ErrorContext(ctx, "failed", "error", err)
	}
	shutdown()
}

func setup(ctx context.Context, name string) (func(), error) {
	res, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithHost(), resource.WithService(), resource.WithAttributes(
		semconv.ServiceName(name), semconv.ServiceVersion("2.3.1"), semconv.DeploymentEnvironmentNameKey.String("dev"),
	))
	if err != nil {
		return nil, err
	}
	spans, err := autoexport.NewSpanExporter(ctx)
	if err != nil {
		return nil, err
	}
	traces := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans), sdktrace.WithResource(res))
	otel.SetTracerProvider(traces)
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
	if name == "cli" { // a tool has traces only
		return func() { _ = traces.Shutdown(ctx) }, nil
	}
	reader, err := autoexport.NewMetricReader(ctx)
	if err != nil {
		return nil, err
	}
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithResource(res))
	otel.SetMeterProvider(meters)
	records, err := autoexport.NewLogExporter(ctx)
	if err != nil {
		return nil, err
	}
	logs := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(records)), sdklog.WithResource(res))
	slog.SetDefault(slog.New(otelslog.NewHandler("github.com/acme/styles", otelslog.WithLoggerProvider(logs))))
	return func() { _, _, _ = traces.Shutdown(ctx), meters.Shutdown(ctx), logs.Shutdown(ctx) }, nil
}
