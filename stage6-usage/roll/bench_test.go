package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/riandyrn/otelchi"
	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"example.com/dice/shared/chance"
	"example.com/dice/shared/httpjson"
)

// The exporters take spans and log records and drop them, so that only the making of telemetry is measured.
type (
	noSpanExporter struct{}
	noLogExporter  struct{}
)

func (noSpanExporter) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (noSpanExporter) Shutdown(context.Context) error                             { return nil }
func (noLogExporter) Export(context.Context, []sdklog.Record) error               { return nil }
func (noLogExporter) ForceFlush(context.Context) error                            { return nil }
func (noLogExporter) Shutdown(context.Context) error                              { return nil }

// BenchmarkRoll adds one signal after the other, and compares the middlewares of this service with otelhttp,
// which makes spans and metrics in one. Nothing waits. The first stage's plain service has the same benchmark,
// without telemetry.
//
// Run it with -cpu 1, because on one CPU time is CPU time, and with -count 1, because instruments keep the
// providers that they once have.
func BenchmarkRoll(b *testing.B) {
	h := handler{dieService: knownDice(), roller: roller{chance: chance.New(1)}}
	toConsole := slog.NewJSONHandler(io.Discard, nil)
	before := slog.Default()
	slog.SetDefault(slog.New(toConsole))
	defer slog.SetDefault(before)

	spans := sdktrace.NewBatchSpanProcessor(noSpanExporter{})
	tracerProvider.RegisterSpanProcessor(spans)
	defer tracerProvider.UnregisterSpanProcessor(spans)
	otel.SetTracerProvider(tracerProvider)
	b.Run("traces", func(b *testing.B) {
		r := chi.NewRouter()
		r.Use(otelchi.Middleware("roll", otelchi.WithChiRoutes(r), otelchi.WithRequestMethodInSpanName(true)))
		benchmark(b, withRoute(r, h))
	})

	otel.SetMeterProvider(meterProvider)
	b.Run("traces+metrics", func(b *testing.B) { benchmark(b, newRouter(h)) })
	b.Run("traces+metrics_otelhttp", func(b *testing.B) {
		r := chi.NewRouter()
		r.Use(otelhttp.NewMiddleware("roll"))
		benchmark(b, withRoute(r, h))
	})

	logs := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(noLogExporter{})))
	defer func() { _ = logs.Shutdown(context.Background()) }()
	slog.SetDefault(slog.New(slog.NewMultiHandler(toConsole, otelslog.NewHandler("roll", otelslog.WithLoggerProvider(logs)))))
	b.Run("traces+metrics+logs", func(b *testing.B) { benchmark(b, newRouter(h)) })
}

func withRoute(r chi.Router, h handler) http.Handler {
	r.Use(httpjson.Recoverer)
	r.Get("/roll", h.roll)
	return r
}

func benchmark(b *testing.B, router http.Handler) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		recorder := httptest.NewRecorder()
		router.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/roll?die=fair", nil))
		if recorder.Code != http.StatusOK {
			b.Fatalf("status %d", recorder.Code)
		}
	}
}

// BenchmarkBatch has waits of up to a second, and a span for each die. That a thousand dice hardly take longer
// than ten is what concurrency gives.
func BenchmarkBatch(b *testing.B) {
	spans := sdktrace.NewBatchSpanProcessor(noSpanExporter{})
	tracerProvider.RegisterSpanProcessor(spans)
	defer tracerProvider.UnregisterSpanProcessor(spans)
	router := newTestRouter(time.Second)
	for _, times := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("%d_dice", times), func(b *testing.B) {
			for b.Loop() {
				recorder := httptest.NewRecorder()
				router.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, fmt.Sprintf("/roll-async?die=fair&times=%d", times), nil))
				if recorder.Code != http.StatusOK {
					b.Fatalf("status %d", recorder.Code)
				}
			}
		})
	}
}
