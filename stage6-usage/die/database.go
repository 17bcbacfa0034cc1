package main

import (
	"cmp"
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
		otelsql.WithInstrumentAttributesGetter(attributesOfQuery),
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

// spanName is the summary of the query, such as "SELECT dice", or else what the driver was asked to do.
func spanName(_ context.Context, method otelsql.Method, query string) string {
	return cmp.Or(summary(query), string(method))
}

// attributesOfQuery adds to the duration which query it was, and which route of this service it was for.
func attributesOfQuery(ctx context.Context, _ otelsql.Method, query string, _ []driver.NamedValue) []attribute.KeyValue {
	var attributes []attribute.KeyValue
	if query != "" {
		attributes = append(attributes, semconv.DBQuerySummary(summary(query)))
	}
	if route := chi.RouteContext(ctx); route != nil {
		attributes = append(attributes, semconv.HTTPRoute(route.RoutePattern()))
	}
	return attributes
}

var word = regexp.MustCompile(`(?:^|FROM |JOIN |INTO |EXISTS )(\w+)`)

// summary is the operation and the tables of a query: few enough for the name of a span and for a metric.
func summary(query string) string {
	var words []string
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
