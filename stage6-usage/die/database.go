package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/XSAM/otelsql"
	"github.com/go-chi/chi/v5"
	"github.com/mattn/go-sqlite3"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

const (
	busyTimeout = 500 * time.Millisecond // for locks held by other processes
	connections = 4                      // all kept open, because opening one costs as much as many queries
)

// openDatabase returns a pool of connections to an SQLite file, which is created if it does not exist. Each query within
// a request gets a span, and db.client.operation.duration records every operation.
func openDatabase(file string) (*sql.DB, error) {
	file, err := filepath.Abs(file) // a file even for ":memory:", which would be a separate database for each connection
	if err != nil {
		return nil, err
	}
	settings := url.Values{
		"_journal_mode": {"WAL"}, // readers don't block on writers
		"_synchronous":  {"NORMAL"},
		"_busy_timeout": {strconv.FormatInt(busyTimeout.Milliseconds(), 10)},
		"_foreign_keys": {"on"},
	}
	db, err := otelsql.Open("sqlite3", "file:"+url.PathEscape(file)+"?"+settings.Encode(),
		otelsql.WithAttributes(semconv.DBSystemNameSQLite),
		otelsql.WithSpanNameFormatter(spanName),
		otelsql.WithAttributesGetter(attributesOfSpan),
		otelsql.WithSpanErrorAttributesGetter(attributesOfError),
		otelsql.WithInstrumentAttributesGetter(attributesOfMetric),
		otelsql.WithSpanOptions(otelsql.SpanOptions{
			OmitRows: true, OmitConnPrepare: true,
			SpanFilter:  withinRequest,
			RecordError: func(err error) bool { return !errors.Is(err, context.Canceled) },
		}),
	)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// withinRequest suppresses spans outside of requests, such as those at startup, which would be traces with one span.
func withinRequest(ctx context.Context, _ otelsql.Method, _ string, _ []driver.NamedValue) bool {
	return trace.SpanFromContext(ctx).IsRecording()
}

// spanName returns the query summary, as the semantic conventions require.
func spanName(_ context.Context, method otelsql.Method, query string) string {
	return summary(method, query)
}

// attributesOfSpan returns the query summary, by which both spans and the metric can be grouped.
func attributesOfSpan(_ context.Context, method otelsql.Method, query string, _ []driver.NamedValue) []attribute.KeyValue {
	return []attribute.KeyValue{semconv.DBQuerySummary(summary(method, query))}
}

// attributesOfError returns the type of a query's error. A query that its caller canceled has not failed.
func attributesOfError(err error) []attribute.KeyValue {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	attributes := []attribute.KeyValue{semconv.ErrorType(err)}
	if reason, ok := errors.AsType[sqlite3.Error](err); ok {
		attributes = append(attributes, semconv.DBResponseStatusCode(strconv.Itoa(int(reason.Code))))
	}
	return attributes
}

// attributesOfMetric returns the query summary and the route of this service that ran the query.
func attributesOfMetric(ctx context.Context, method otelsql.Method, query string, args []driver.NamedValue) []attribute.KeyValue {
	attributes := attributesOfSpan(ctx, method, query, args)
	if route := chi.RouteContext(ctx); route != nil {
		attributes = append(attributes, semconv.HTTPRoute(route.RoutePattern()))
	}
	return attributes
}

// views changes metrics of otelsql that it has no options for.
func views() []sdkmetric.View {
	return []sdkmetric.View{
		// The bounds begin below a millisecond, because most queries take less.
		sdkmetric.NewView(sdkmetric.Instrument{Name: "db.client.operation.duration"}, sdkmetric.Stream{
			AttributeFilter: useful,
			Aggregation: sdkmetric.AggregationExplicitBucketHistogram{
				Boundaries: []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10},
			},
		}),
		// The semantic conventions don't define these, and nothing here uses them.
		sdkmetric.NewView(sdkmetric.Instrument{Name: "db.sql.connection.closed_*"}, sdkmetric.Stream{Aggregation: sdkmetric.AggregationDrop{}}),
	}
}

// useful drops db.operation.name, because otelsql sets it to the name of a Go method; the summary begins with the operation.
// It also drops the error.type of canceled queries, which have not failed.
func useful(a attribute.KeyValue) bool {
	canceled := semconv.ErrorType(context.Canceled)
	return a.Key != semconv.DBOperationNameKey && (a.Key != canceled.Key || a.Value.AsString() != canceled.Value.AsString())
}

var word = regexp.MustCompile(`(?:^|FROM |JOIN |INTO |EXISTS )(\w+)`)

// summary returns the operation and the tables of a query, such as "SELECT dice": few enough values for span names and
// metrics. For a method without a query, it returns the operation, such as "COMMIT".
func summary(method otelsql.Method, query string) string {
	if query == "" {
		last := string(method[strings.LastIndex(string(method), ".")+1:])
		return strings.ToUpper(strings.TrimSuffix(last, "_tx"))
	}
	var words []string
	if method == otelsql.MethodConnPrepare {
		words = append(words, "PREPARE")
	}
	for _, match := range word.FindAllStringSubmatch(query, -1) {
		words = append(words, match[1])
	}
	return strings.Join(words, " ")
}

// advise adds to an error of SQLite how to fix it.
func advise(err error) error {
	reason, _ := errors.AsType[sqlite3.Error](err) // the code is 0 for other errors
	switch reason.Code {
	case sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrProtocol:
		return fmt.Errorf("%w: another program is using it; stop that program", err)
	case sqlite3.ErrReadonly, sqlite3.ErrPerm, sqlite3.ErrCantOpen:
		return fmt.Errorf("%w: the service needs write access to this file and its directory", err)
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return fmt.Errorf("%w: move it elsewhere, with its -wal and -shm files; it will be rebuilt from DICE_FILE", err)
	}
	return err
}
