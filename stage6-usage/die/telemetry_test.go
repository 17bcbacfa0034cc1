package main

import (
	"context"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
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

// observed makes a store and sends it requests. It returns their spans, and what the metrics have before the store is
// closed and after.
func observed(t *testing.T, queries ...string) (spans []sdktrace.ReadOnlySpan, before, after map[string]float64) {
	t.Helper()
	recorder, reader := tracetest.NewSpanRecorder(), sdkmetric.NewManualReader()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)))
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithView(views()...)))
	s := open(t, filepath.Join(t.TempDir(), "dice.db"), specify(0, "a", "b"))
	if started := recorder.Ended(); len(started) > 0 {
		t.Errorf("the start made spans: %v", started)
	}
	router := newRouter(handler{store: s})
	s.db.SetMaxIdleConns(0) // closes the open ones, so the next request prepares statements again
	s.db.SetMaxIdleConns(connections)
	for _, query := range queries {
		send(t.Context(), router, http.MethodGet, "/dice", query)
	}
	before = collect(t, reader)
	if err := s.close(); err != nil {
		t.Error(err)
	}
	return recorder.Ended(), before, collect(t, reader)
}

// collect returns the value or count of each series of the database: "name{attributes}".
func collect(t *testing.T, reader sdkmetric.Reader) map[string]float64 {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			name := func(set attribute.Set) string {
				return m.Name + "{" + set.Encoded(attribute.DefaultEncoder()) + "}"
			}
			switch points := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range points.DataPoints {
					got[name(p.Attributes)] = float64(p.Count)
				}
			case metricdata.Gauge[int64]:
				for _, p := range points.DataPoints {
					got[name(p.Attributes)] = float64(p.Value)
				}
			}
		}
	}
	return got
}

// TestOneSpanForEachQuery wants no other spans of the database, and no values in them.
func TestOneSpanForEachQuery(t *testing.T) {
	tests := []struct {
		query string
		spans []string // names of those below GET /dice
	}{
		{"", []string{"SELECT dice"}},
		{"identifier=a", []string{"SELECT dice faces"}},
		{"identifier=secret", []string{"SELECT dice faces", "SELECT dice"}}, // the list, for the message
		{"identifier=a&identifier=b", nil},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) {
			spans, _, _ := observed(t, test.query)
			if len(spans) != len(test.spans)+1 {
				t.Fatalf("spans %v", spans)
			}
			server := spans[len(spans)-1] // ends last
			for i, span := range spans[:len(spans)-1] {
				attributes := attribute.NewSet(span.Attributes()...)
				text, _ := attributes.Value("db.query.text")
				if span.Name() != test.spans[i] || span.SpanKind() != trace.SpanKindClient || span.Parent().SpanID() != server.SpanContext().SpanID() {
					t.Errorf("span %s, kind %s, want %s below %s", span.Name(), span.SpanKind(), test.spans[i], server.Name())
				}
				if system, _ := attributes.Value("db.system.name"); system.AsString() != "sqlite" || attributes.Len() != 3 {
					t.Errorf("attributes %v", span.Attributes())
				}
				if summary, _ := attributes.Value("db.query.summary"); summary.AsString() != test.spans[i] {
					t.Errorf("db.query.summary %q, want %q", summary.AsString(), test.spans[i])
				}
				if !strings.HasPrefix(text.AsString(), "SELECT ") || strings.Contains(attributes.Encoded(attribute.DefaultEncoder()), "secret") {
					t.Errorf("query %s", text.AsString())
				}
			}
		})
	}
}

func TestQueriesAreCountedByRoute(t *testing.T) {
	_, got, after := observed(t, "", "identifier=a", "identifier=a", "identifier=nope")
	const queries = "db.client.operation.duration{"
	const system = ",db.system.name=sqlite"
	const pool = "{db.client.connection.pool.name=dice.db" + system
	for name, want := range map[string]float64{
		queries + "db.query.summary=SELECT dice" + system + ",http.route=/dice}":       2,
		queries + "db.query.summary=SELECT dice faces" + system + ",http.route=/dice}": 3,
		queries + "db.query.summary=COMMIT" + system + "}":                             1,
		"db.sql.connection.max_open" + pool + "}":                                      connections,
		"db.sql.connection.open" + pool + ",status=idle}":                              1,
		"db.sql.connection.open" + pool + ",status=inuse}":                             0,
	} {
		if value, ok := got[name]; !ok || value != want {
			t.Errorf("%s is %v, want %v; there are %v", name, value, want, got)
		}
	}
	for name := range maps.Keys(after) {
		if strings.HasPrefix(name, "db.sql.connection.") {
			t.Errorf("a closed database has %s", name)
		}
	}
}

// TestFailedQueryIsAnError wants it in the span of the query, and up from there.
func TestFailedQueryIsAnError(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)))
	s := open(t, filepath.Join(t.TempDir(), "dice.db"), specify(0, "a"))
	if _, err := s.db.ExecContext(t.Context(), `DROP TABLE faces`); err != nil {
		t.Fatal(err)
	}
	send(t.Context(), newRouter(handler{store: s}), http.MethodGet, "/dice", "identifier=a")
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
	send(ctx, newRouter(handler{store: s}), http.MethodGet, "/dice", "")
	ended := recorder.Ended()
	if len(ended) != 2 || ended[0].SpanKind() != trace.SpanKindClient || ended[0].Status().Code != codes.Unset {
		t.Errorf("spans %v, want a query without an error, and GET /dice", ended)
	}
}
