package main

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// TestFailedQueryIsAnError wants it in the span of the query, and up from there.
func TestFailedQueryIsAnError(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)))
	s := open(t, filepath.Join(t.TempDir(), "dice.db"), specify(0, "a"))
	if _, err := s.db.ExecContext(t.Context(), `DROP TABLE faces`); err != nil {
		t.Fatal(err)
	}
	send(t.Context(), newRouter(handler{store: s}), "/dice", "identifier=a")
	if ended := recorder.Ended(); len(ended) != 2 || ended[0].Name() != "SELECT dice faces" || ended[0].Status().Code != codes.Error || ended[1].Status().Code != codes.Error {
		t.Fatalf("spans %v", ended)
	}
	attributes := attribute.NewSet(recorder.Ended()[0].Attributes()...)
	if got, _ := attributes.Value("error.type"); got.AsString() != "github.com/mattn/go-sqlite3.Error" {
		t.Errorf("error.type %q", got.AsString())
	}
	if got, _ := attributes.Value("db.response.status_code"); got.AsString() != "1" { // SQLITE_ERROR
		t.Errorf("db.response.status_code %q", got.AsString())
	}
}

// TestCanceledQueryIsNoError cancels a query that would never end.
func TestCanceledQueryIsNoError(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)))
	s := open(t, filepath.Join(t.TempDir(), "dice.db"), specify(0, "a"))
	endless, err := s.db.PrepareContext(t.Context(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n`)
	if err != nil {
		t.Fatal(err)
	}
	s.identifiers = endless
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	go func() {
		defer cancel()
		for ctx.Err() == nil && len(recorder.Started()) < 2 {
			time.Sleep(time.Millisecond)
		}
	}()
	send(ctx, newRouter(handler{store: s}), "/dice", "")
	ended := recorder.Ended()
	if len(ended) != 2 || ended[0].SpanKind() != trace.SpanKindClient || ended[0].Status().Code != codes.Unset {
		t.Errorf("spans %v, want a query without an error, and GET /dice", ended)
	}
}
