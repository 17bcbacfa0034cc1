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
	busyTimeout = 500 * time.Millisecond // for a lock that another process holds
	connections = 4                      // that are kept open: opening one costs as much as many queries
)

// openDatabase prepares to open a file of SQLite, which is made if it is not there. Its connections tell of
// themselves: a span for each query within a request, and db.client.operation.duration for all that they do.
func openDatabase(file string) (*sql.DB, error) {
	file, err := filepath.Abs(file) // a file even if it is ":memory:", which each connection would have for itself
	if err != nil {
		return nil, err
	}
	settings := url.Values{
		"_journal_mode": {"WAL"}, // who reads does not wait for who writes
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

// withinRequest keeps what nobody asked for, such as the work at the start, from making traces of one span.
func withinRequest(ctx context.Context, _ otelsql.Method, _ string, _ []driver.NamedValue) bool {
	return trace.SpanFromContext(ctx).IsRecording()
}

// spanName returns the summary, as the conventions want it.
func spanName(_ context.Context, method otelsql.Method, query string) string {
	return summary(method, query)
}

// attributesOfSpan adds the summary, by which one can group spans as well as the metric.
func attributesOfSpan(_ context.Context, method otelsql.Method, query string, _ []driver.NamedValue) []attribute.KeyValue {
	return []attribute.KeyValue{semconv.DBQuerySummary(summary(method, query))}
}

// attributesOfError adds the type of the error that a query ended with. That its caller canceled it is no error.
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

// attributesOfMetric adds to the duration which query it was, and which route of this service it was for.
func attributesOfMetric(ctx context.Context, method otelsql.Method, query string, args []driver.NamedValue) []attribute.KeyValue {
	attributes := attributesOfSpan(ctx, method, query, args)
	if route := chi.RouteContext(ctx); route != nil {
		attributes = append(attributes, semconv.HTTPRoute(route.RoutePattern()))
	}
	return attributes
}

// views returns what the SDK changes in the metrics of otelsql, which has no options for it.
func views() []sdkmetric.View {
	return []sdkmetric.View{
		// db.operation.name is left out, because otelsql writes the name of a Go method into it; the summary begins with the
		// operation. The bounds begin below a millisecond, because most queries take less.
		sdkmetric.NewView(sdkmetric.Instrument{Name: "db.client.operation.duration"}, sdkmetric.Stream{
			AttributeFilter: attribute.NewDenyKeysFilter(semconv.DBOperationNameKey),
			Aggregation: sdkmetric.AggregationExplicitBucketHistogram{
				Boundaries: []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10},
			},
		}),
		// These have no name in the conventions, and answer no question here.
		sdkmetric.NewView(sdkmetric.Instrument{Name: "db.sql.connection.closed_*"}, sdkmetric.Stream{Aggregation: sdkmetric.AggregationDrop{}}),
	}
}

var word = regexp.MustCompile(`(?:^|FROM |JOIN |INTO |EXISTS )(\w+)`)

// summary returns the operation and the tables of a query, such as "SELECT dice": few enough for the name of a span and for
// a metric. What is no query has the name of what it does, such as "COMMIT".
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

// advise adds to an error of SQLite what one can do about it.
func advise(err error) error {
	reason, _ := errors.AsType[sqlite3.Error](err) // else it has the code 0
	switch reason.Code {
	case sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrProtocol:
		return fmt.Errorf("%w: another program uses it, stop that one", err)
	case sqlite3.ErrReadonly, sqlite3.ErrPerm, sqlite3.ErrCantOpen:
		return fmt.Errorf("%w: the service must be able to write to this file and to its folder", err)
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return fmt.Errorf("%w: move it away, with -wal and -shm beside it; it will be made anew from DICE_FILE", err)
	}
	return err
}
