package main

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// record returns what is recorded of spans and metrics from now on.
func record() (*tracetest.SpanRecorder, sdkmetric.Reader) {
	spans, reader := tracetest.NewSpanRecorder(), sdkmetric.NewManualReader()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)))
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithView(views()...)))
	return spans, reader
}

// queryErrors returns the error.type of each series of db.client.operation.duration that is of a request's query.
func queryErrors(t *testing.T, reader sdkmetric.Reader) []string {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			durations, ok := m.Data.(metricdata.Histogram[float64])
			if !ok || m.Name != "db.client.operation.duration" {
				continue
			}
			for _, point := range durations.DataPoints {
				if route, _ := point.Attributes.Value("http.route"); route.AsString() == "/dice" {
					kind, _ := point.Attributes.Value("error.type")
					kinds = append(kinds, kind.AsString())
				}
			}
		}
	}
	return kinds
}

// TestFailedQueryIsAnError wants it in the span and the duration of the query, and up from there.
func TestFailedQueryIsAnError(t *testing.T) {
	recorder, reader := record()
	s := open(t, filepath.Join(t.TempDir(), "dice.db"), specify(0, "a"))
	if _, err := s.db.ExecContext(t.Context(), `DROP TABLE faces`); err != nil {
		t.Fatal(err)
	}
	send(t.Context(), newRouter(handler{store: s}), "/dice", "identifier=a")
	if ended := recorder.Ended(); len(ended) != 2 || ended[0].Name() != "SELECT dice faces" || ended[0].Status().Code != codes.Error || ended[1].Status().Code != codes.Error {
		t.Fatalf("spans %v", ended)
	}
	attributes := attribute.NewSet(recorder.Ended()[0].Attributes()...)
	const kind = "github.com/mattn/go-sqlite3.Error"
	if got, _ := attributes.Value("error.type"); got.AsString() != kind {
		t.Errorf("error.type %q, want %q", got.AsString(), kind)
	}
	if got := queryErrors(t, reader); !slices.Equal(got, []string{kind}) {
		t.Errorf("the metric has error.type %q, want %q", got, kind)
	}
	if got, _ := attributes.Value("db.response.status_code"); got.AsString() != "1" { // SQLITE_ERROR
		t.Errorf("db.response.status_code %q", got.AsString())
	}
}

// TestCanceledQueryIsNoError cancels a query that would never end.
func TestCanceledQueryIsNoError(t *testing.T) {
	recorder, reader := record()
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
	if got := queryErrors(t, reader); !slices.Equal(got, []string{""}) {
		t.Errorf("the metric has error.type %q, want none", got)
	}
}

// TestPoolIsMeasuredWhileItIsOpen wants nothing to be asked of a database that is closed.
func TestPoolIsMeasuredWhileItIsOpen(t *testing.T) {
	_, reader := record()
	s := open(t, filepath.Join(t.TempDir(), "dice.db"), specify(0, "a"))
	if !poolIsMeasured(t, reader) {
		t.Error("the pool has no metrics")
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if poolIsMeasured(t, reader) {
		t.Error("the pool of a closed database has metrics")
	}
}

func poolIsMeasured(t *testing.T, reader sdkmetric.Reader) bool {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(data.ScopeMetrics, func(scope metricdata.ScopeMetrics) bool {
		return slices.ContainsFunc(scope.Metrics, func(m metricdata.Metrics) bool { return m.Name == "db.sql.connection.open" })
	})
}
