// Package telemetry starts and stops the OpenTelemetry SDK: traces, metrics and logs.
//
// All settings are standard OTEL_* environment variables. The package is small on purpose: copy its files, without
// the tests, into your own project, and change [namespace] and [module]. Leave out settings.go and its calls if your
// platform checks the variables, and valid.go, validmetrics.go and their calls if no caller chooses text in your telemetry.
package telemetry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/bridges/prometheus"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/contrib/propagators/autoprop"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/propagation"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
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
// metrics are aggregated. Start does not wait for the endpoint. If a variable has a bad value, Start returns an error of one
// line that names it and says what is allowed.
//
// Stop logs the cause, which may be nil, as the reason why the program ends. This record is not written to stdout, because
// the program prints the error. Then stop flushes all signals. It takes at most 3 seconds, even if the endpoint is down or
// never responds. It returns the cause, joined with what could not be delivered, by signal.
//
// Telemetry that is lost before that is reported on stdout as "telemetry error": failed exports, and spans, log records and
// attributes that the SDK drops because a queue is full or a limit reached. With OTEL_GO_X_OBSERVABILITY=true, the SDK counts spans
// and records as otel.sdk.processor.span.processed and otel.sdk.processor.log.processed, with error.type=queue_full if dropped.
func Start(ctx context.Context, service string, stdout io.Writer, views ...sdkmetric.View) (stop func(ctx context.Context, cause error) error, err error) {
	console := slog.NewJSONHandler(stdout, nil)
	reports := newReporter(console)
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { reports.report(message{text: err.Error()}) }))
	otel.SetLogger(logr.FromSlogHandler(reports))
	if err := checkSettings(generalSettings()); err != nil {
		return nil, err
	}
	propagator, err := newPropagator()
	if err != nil {
		return nil, err
	}
	otel.SetTextMapPropagator(propagator)
	if os.Getenv("OTEL_SDK_DISABLED") == "true" { // the Go SDK itself does not read this variable
		slog.SetDefault(slog.New(console))
		return func(_ context.Context, cause error) error { return cause }, nil
	}
	sdk, err := newProviders(ctx, service, views)
	if err != nil {
		return nil, err
	}

	otel.SetTracerProvider(sdk.traces)
	otel.SetMeterProvider(sdk.metrics)
	otel.SetLoggerProvider(sdk.logs)
	bridge := otelslog.NewHandler(path.Join(module, service), otelslog.WithLoggerProvider(sdk.logs),
		otelslog.WithVersion(Version()), otelslog.WithSchemaURL(semconv.SchemaURL))
	slog.SetDefault(slog.New(newLogHandler(console, bridge)))

	return func(ctx context.Context, cause error) error {
		if cause != nil {
			slog.New(bridge).ErrorContext(ctx, "program failed", "error", cause)
		}
		err := sdk.flush(ctx)
		reports.stop()
		return errors.Join(cause, reports.redact(err))
	}, nil
}

type providers struct {
	traces  *sdktrace.TracerProvider
	metrics *sdkmetric.MeterProvider
	logs    validLoggers
}

func newProviders(ctx context.Context, service string, views []sdkmetric.View) (sdk providers, err error) {
	if err := checkSettings(sdkSettings()); err != nil {
		return sdk, err
	}
	if err := checkCombinations(); err != nil {
		return sdk, err
	}
	res, err := newResource(ctx, service)
	if err != nil {
		return sdk, err
	}
	if sdk.traces, err = newTracerProvider(ctx, res); err != nil {
		return sdk, err
	}
	if sdk.metrics, err = newMeterProvider(ctx, res, views); err != nil {
		return sdk, err
	}
	if sdk.logs, err = newLoggerProvider(ctx, res); err != nil {
		return sdk, err
	}
	if err := runtime.Start(runtime.WithMeterProvider(sdk.metrics)); err != nil {
		return sdk, fmt.Errorf("starting the Go runtime's metrics: %w", err)
	}
	return sdk, nil
}

// exported reports whether a signal ("TRACES", "METRICS" or "LOGS") is exported. If no variable is set, none
// is, so a service can run on its own without errors about a missing collector.
func exported(signal string) bool {
	return os.Getenv("OTEL_"+signal+"_EXPORTER") != "" || os.Getenv(otlp(signal+"_", "ENDPOINT")) != ""
}

// newTracerProvider creates spans even if none are exported, so that log lines always have a trace ID.
func newTracerProvider(ctx context.Context, res *resource.Resource) (*sdktrace.TracerProvider, error) {
	limits := sdktrace.NewSpanLimits()
	limits.AttributeValueLengthLimit = lengthLimit("SPAN")
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(res), sdktrace.WithRawSpanLimits(limits)}
	if exported("TRACES") {
		exporter, err := autoexport.NewSpanExporter(ctx)
		if err != nil {
			return nil, exporterError("TRACES", err)
		}
		options = append(options, sdktrace.WithBatcher(validSpans{exporter, limits.AttributeValueLengthLimit}))
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
		reader, err := newMetricReader(ctx)
		if err != nil {
			return nil, exporterError("METRICS", err)
		}
		options = append(options, sdkmetric.WithReader(reader))
	}
	return sdkmetric.NewMeterProvider(options...), nil
}

// newMetricReader does the same as autoexport, but repairs what is sent over OTLP.
func newMetricReader(ctx context.Context) (sdkmetric.Reader, error) {
	if exporter := os.Getenv("OTEL_METRICS_EXPORTER"); exporter != "" && exporter != "otlp" {
		return autoexport.NewMetricReader(ctx)
	}
	var exporter sdkmetric.Exporter
	var err error
	if os.Getenv(otlp("METRICS_", "PROTOCOL")) == "grpc" {
		exporter, err = otlpmetricgrpc.New(ctx)
	} else {
		exporter, err = otlpmetrichttp.New(ctx)
	}
	if err != nil {
		return nil, err
	}
	var options []sdkmetric.PeriodicReaderOption
	if slices.Contains(strings.Split(os.Getenv("OTEL_METRICS_PRODUCERS"), ","), "prometheus") {
		options = append(options, sdkmetric.WithProducer(prometheus.NewMetricProducer()))
	}
	return sdkmetric.NewPeriodicReader(validMetrics{exporter}, options...), nil
}

func newLoggerProvider(ctx context.Context, res *resource.Resource) (validLoggers, error) {
	limit := lengthLimit("LOGRECORD")
	options := []sdklog.LoggerProviderOption{sdklog.WithResource(res), sdklog.WithAttributeValueLengthLimit(limit)}
	if exported("LOGS") {
		exporter, err := autoexport.NewLogExporter(ctx)
		if err != nil {
			return validLoggers{}, exporterError("LOGS", err)
		}
		options = append(options, sdklog.WithProcessor(validRecords{sdklog.NewBatchProcessor(exporter), limit}))
	}
	return validLoggers{sdklog.NewLoggerProvider(options...)}, nil
}

// exporterError adds to an error of an exporter the variables that choose it.
func exporterError(signal string, err error) error {
	exporter, protocol := "OTEL_"+signal+"_EXPORTER", otlp(signal+"_", "PROTOCOL")
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
		return nil, fmt.Errorf("describing the resource: %w", err)
	}
	return resource.NewWithAttributes(res.SchemaURL(), repairAll(res.Attributes(), math.MaxInt)...), nil
}

// Must returns the instrument. It panics if err is not nil, which only an invalid name or option can cause.
func Must[T any](instrument T, err error) T {
	if err != nil {
		panic(err)
	}
	return instrument
}

// flush shuts down all providers concurrently. Otherwise, one that waits for a dead endpoint would use up the
// time of the others. It ignores cancellation of ctx, because in most programs ctx is already canceled by then.
func (p providers) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	var traces, metrics, logs error
	var group sync.WaitGroup
	group.Go(func() { traces = p.traces.Shutdown(ctx) })
	group.Go(func() {
		_ = p.metrics.ForceFlush(ctx) // Shutdown alone would abort an export in progress, and return an error
		metrics = p.metrics.Shutdown(ctx)
	})
	group.Go(func() { logs = p.logs.Shutdown(ctx) })
	group.Wait()
	return errors.Join(flushError("traces", traces), flushError("metrics", metrics), flushError("logs", logs))
}

func flushError(signal string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("flushing %s: %w", signal, err)
}
