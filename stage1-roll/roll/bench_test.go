package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"example.com/dice/shared/chance"
	"example.com/dice/shared/httpjson"
)

// noExporter takes spans and drops them, so that only the making of spans is measured.
type noExporter struct{}

func (noExporter) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (noExporter) Shutdown(context.Context) error                             { return nil }

// BenchmarkRoll compares this service with the same handler under otelhttp, which makes spans and metrics in
// one. Both roll without a wait. Run it with -cpu 1: on one CPU, time is CPU time.
func BenchmarkRoll(b *testing.B) {
	h := handler{roller{chance: chance.New(1)}}
	underOtelhttp := chi.NewRouter()
	underOtelhttp.Use(otelhttp.NewMiddleware("roll"))
	underOtelhttp.Use(httpjson.Recoverer)
	underOtelhttp.Get("/roll", h.roll)

	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(io.Discard, nil)))
	defer slog.SetDefault(before)
	processor := sdktrace.NewBatchSpanProcessor(noExporter{})
	tracerProvider.RegisterSpanProcessor(processor)
	defer tracerProvider.UnregisterSpanProcessor(processor)

	b.Run("otelchi", func(b *testing.B) { benchmark(b, newRouter(h)) })
	b.Run("otelhttp", func(b *testing.B) { benchmark(b, underOtelhttp) })
}

func benchmark(b *testing.B, router http.Handler) {
	b.ReportAllocs()
	for b.Loop() {
		recorder := httptest.NewRecorder()
		router.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/roll?die=fair", nil))
		if recorder.Code != http.StatusOK {
			b.Fatalf("status %d", recorder.Code)
		}
	}
}
