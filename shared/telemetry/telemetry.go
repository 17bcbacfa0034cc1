// Package telemetry starts and stops the OpenTelemetry SDK: traces, metrics and logs.
//
// All settings are standard OTEL_* environment variables. The package is small on purpose: copy its two files
// into your own project and change [namespace].
package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/contrib/propagators/autoprop"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

const (
	namespace    = "dice"
	module       = "example.com/dice" // of the services; a log record's scope is the package of its service
	flushTimeout = 3 * time.Second
)

// Start starts all three signals for the named service. It sets the global providers, the propagator and
// slog's default logger, which writes JSON lines to stdout and sends the same records to the logger provider.
//
// A signal is exported if its exporter variable (OTEL_TRACES_EXPORTER and so on) or an OTLP endpoint variable
// is set. With OTEL_SDK_DISABLED=true, the only telemetry is the log lines on stdout. Views change how individual
// metrics are aggregated. Start does not wait for the endpoint. Its error names the variable with the bad value.
//
// Stop flushes all signals. It takes at most 3 seconds, even if the endpoint is down or never responds. Telemetry that
// could not be delivered is reported in stop's error, by signal, or by the SDK on stdout.
func Start(ctx context.Context, service string, stdout io.Writer, views ...sdkmetric.View) (stop func(context.Context) error, err error) {
	console := slog.NewJSONHandler(stdout, nil)
	reportSDKErrors(console)
	if err := checkEndpoints(); err != nil {
		return nil, err
	}
	res, err := newResource(ctx, service)
	if err != nil {
		return nil, err
	}
	propagator, err := newPropagator()
	if err != nil {
		return nil, err
	}
	otel.SetTextMapPropagator(propagator)
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") { // the Go SDK itself does not read this variable
		slog.SetDefault(slog.New(console))
		return func(context.Context) error { return nil }, nil
	}
	traces, err := newTracerProvider(ctx, res)
	if err != nil {
		return nil, err
	}
	metrics, err := newMeterProvider(ctx, res, views)
	if err != nil {
		return nil, err
	}
	logs, err := newLoggerProvider(ctx, res)
	if err != nil {
		return nil, err
	}
	if err := runtime.Start(runtime.WithMeterProvider(metrics)); err != nil {
		return nil, fmt.Errorf("starting the Go runtime's metrics: %w", err)
	}

	otel.SetTracerProvider(traces)
	otel.SetMeterProvider(metrics)
	otel.SetLoggerProvider(logs)
	bridge := otelslog.NewHandler(path.Join(module, service), otelslog.WithLoggerProvider(logs),
		otelslog.WithVersion(Version()), otelslog.WithSchemaURL(semconv.SchemaURL))
	slog.SetDefault(slog.New(logHandler{console, bridge}))

	stopMetrics := func(ctx context.Context) error {
		_ = metrics.ForceFlush(ctx) // Shutdown alone would abort an export in progress, and return an error
		return metrics.Shutdown(ctx)
	}
	return func(ctx context.Context) error {
		return flush(ctx, provider{"traces", traces.Shutdown}, provider{"metrics", stopMetrics}, provider{"logs", logs.Shutdown})
	}, nil
}

// checkEndpoints rejects endpoints such as collector:4317, which the SDK parses as a URL with the scheme "collector".
func checkEndpoints() error {
	for _, signal := range []string{"", "TRACES_", "METRICS_", "LOGS_"} {
		name := "OTEL_EXPORTER_OTLP_" + signal + "ENDPOINT"
		value := os.Getenv(name)
		u, err := url.Parse(value)
		if value != "" && (err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https")) {
			return fmt.Errorf("%s=%q: want a URL such as http://localhost:4317", name, value)
		}
	}
	return nil
}

// exported reports whether a signal ("TRACES", "METRICS" or "LOGS") is exported. If no variable is set, none
// is, so a service can run on its own without errors about a missing collector.
func exported(signal string) bool {
	return cmp.Or(
		os.Getenv("OTEL_"+signal+"_EXPORTER"),
		os.Getenv("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT"),
		os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"),
	) != ""
}

// newTracerProvider creates spans even if none are exported, so that log lines always have a trace ID.
func newTracerProvider(ctx context.Context, res *resource.Resource) (*sdktrace.TracerProvider, error) {
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(res), sdktrace.WithRawSpanLimits(spanLimits())}
	if exported("TRACES") {
		exporter, err := autoexport.NewSpanExporter(ctx)
		if err != nil {
			return nil, exporterError("TRACES", err)
		}
		options = append(options, sdktrace.WithBatcher(validSpans{exporter}))
	}
	return sdktrace.NewTracerProvider(options...), nil
}

// ownDurations sets bounds in seconds for the SDK's metrics about itself. The default bounds, 0, 5, 10 and so on, are too
// coarse for them. The SDK records these metrics if OTEL_GO_X_OBSERVABILITY is true.
var ownDurations = sdkmetric.NewView(
	sdkmetric.Instrument{Name: "otel.sdk.*.duration"},
	sdkmetric.Stream{Aggregation: sdkmetric.AggregationExplicitBucketHistogram{
		Boundaries: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30},
	}},
)

func newMeterProvider(ctx context.Context, res *resource.Resource, views []sdkmetric.View) (*sdkmetric.MeterProvider, error) {
	options := []sdkmetric.Option{sdkmetric.WithResource(res), sdkmetric.WithView(append(views, ownDurations)...)}
	if exported("METRICS") {
		reader, err := autoexport.NewMetricReader(ctx)
		if err != nil {
			return nil, exporterError("METRICS", err)
		}
		options = append(options, sdkmetric.WithReader(reader))
	}
	return sdkmetric.NewMeterProvider(options...), nil
}

func newLoggerProvider(ctx context.Context, res *resource.Resource) (*sdklog.LoggerProvider, error) {
	options := []sdklog.LoggerProviderOption{sdklog.WithResource(res), sdklog.WithAttributeValueLengthLimit(recordLimit())}
	if exported("LOGS") {
		exporter, err := autoexport.NewLogExporter(ctx)
		if err != nil {
			return nil, exporterError("LOGS", err)
		}
		options = append(options, sdklog.WithProcessor(validRecords{}), sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)))
	}
	return sdklog.NewLoggerProvider(options...), nil
}

// exporterError adds to an error of autoexport the variables that choose the exporter.
func exporterError(signal string, err error) error {
	exporter := "OTEL_" + signal + "_EXPORTER"
	protocol := "OTEL_EXPORTER_OTLP_" + signal + "_PROTOCOL"
	if os.Getenv(protocol) == "" {
		protocol = "OTEL_EXPORTER_OTLP_PROTOCOL"
	}
	return fmt.Errorf("%s=%q, %s=%q: %w", exporter, os.Getenv(exporter), protocol, os.Getenv(protocol), err)
}

func newPropagator() (propagation.TextMapPropagator, error) {
	names := cmp.Or(os.Getenv("OTEL_PROPAGATORS"), "tracecontext,baggage")
	propagator, err := autoprop.TextMapPropagator(strings.Split(names, ",")...)
	if err != nil {
		return nil, fmt.Errorf("OTEL_PROPAGATORS=%q: %w", names, err)
	}
	return propagator, nil
}

// Version returns the version that the go command recorded in the program, such as v1.2.3, or "(devel)".
func Version() string {
	build, ok := debug.ReadBuildInfo()
	if !ok || build.Main.Version == "" {
		return "(devel)"
	}
	return build.Main.Version
}

// newResource describes the source of this process's telemetry. Later options take precedence, so
// OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES override the rest.
func newResource(ctx context.Context, service string) (*resource.Resource, error) {
	res, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithHost(),
		resource.WithService(), // a random service.instance.id
		resource.WithAttributes(
			semconv.ServiceName(service),
			semconv.ServiceNamespace(namespace),
			semconv.ServiceVersion(Version()),
		),
		resource.WithFromEnv(),
	)
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES=%q: %w", os.Getenv("OTEL_RESOURCE_ATTRIBUTES"), err)
	}
	return res, nil
}

// reportSDKErrors sends the SDK's own errors only to the console. If they went through the logger provider,
// an error about exporting logs would create another log record to export.
func reportSDKErrors(console slog.Handler) {
	otel.SetLogger(logr.FromSlogHandler(console))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		slog.New(console).Warn("telemetry error", "error", err)
	}))
}

// Must returns the instrument. It panics if err is not nil, which only an invalid name or option can cause.
func Must[T any](instrument T, err error) T {
	if err != nil {
		panic(err)
	}
	return instrument
}

type provider struct {
	signal   string
	shutdown func(context.Context) error
}

// flush shuts down all providers concurrently. Otherwise, one that waits for a dead endpoint would use up the
// time of the others. It ignores cancellation of ctx, because in most programs ctx is already canceled by then.
func flush(ctx context.Context, providers ...provider) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	errs := make([]error, len(providers))
	var group sync.WaitGroup
	for i, p := range providers {
		group.Go(func() {
			if err := p.shutdown(ctx); err != nil {
				errs[i] = fmt.Errorf("flushing %s: %w", p.signal, err)
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// logHandler writes records to the console, with the IDs of the context's span, and to OpenTelemetry, where
// the bridge adds the IDs itself. The bridge has no level of its own, so the console's applies to both.
type logHandler struct{ console, bridge slog.Handler }

func (h logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.console.Enabled(ctx, level)
}

func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	err := h.bridge.Handle(ctx, record.Clone())
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		record.AddAttrs(slog.Any("trace_id", span.TraceID()), slog.Any("span_id", span.SpanID()))
	}
	return errors.Join(h.console.Handle(ctx, record), err)
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.console.WithAttrs(attrs), h.bridge.WithAttrs(attrs)}
}

func (h logHandler) WithGroup(name string) slog.Handler {
	return logHandler{h.console.WithGroup(name), h.bridge.WithGroup(name)}
}
