// Package httpmetrics measures an HTTP server after the stable semantic conventions.
package httpmetrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
)

var duration = must(httpconv.NewServerRequestDuration(
	otel.Meter("example.com/dice/shared/httpmetrics"),
	// The bounds that the conventions ask for.
	metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
))

// Middleware records http.server.request.duration, in seconds, with method, scheme, route and status. Put it
// inside the tracing middleware, so that exemplars point to the trace, and outside the one that turns panics
// into replies.
//
// https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#metric-httpserverrequestduration
func Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		recorder := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		next.ServeHTTP(recorder, r)
		seconds := time.Since(start).Seconds()
		duration.Record(r.Context(), seconds, method(r), scheme(r), attributes(r, recorder.Status())...)
	})
}

// attributes must be called after the router, which notes the route in the request's context.
func attributes(r *http.Request, status int) []attribute.KeyValue {
	if status == 0 {
		status = http.StatusOK // net/http's default when a handler writes no header
	}
	attrs := []attribute.KeyValue{duration.AttrResponseStatusCode(status)}
	if route := chi.RouteContext(r.Context()).RoutePattern(); route != "" {
		attrs = append(attrs, duration.AttrRoute(route))
	}
	if status >= http.StatusInternalServerError {
		attrs = append(attrs, duration.AttrErrorType(httpconv.ErrorTypeAttr(strconv.Itoa(status))))
	}
	return attrs
}

// method keeps callers from making a time series each out of methods that they invent.
func method(r *http.Request) httpconv.RequestMethodAttr {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return httpconv.RequestMethodAttr(r.Method)
	}
	return httpconv.RequestMethodOther
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// must panics on what only a wrong instrument name or option can cause.
func must[T any](instrument T, err error) T {
	if err != nil {
		panic(err)
	}
	return instrument
}
