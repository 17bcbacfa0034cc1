// Package httptelemetry completes HTTP telemetry where otelchi and otelhttp fall short of the semantic conventions.
package httptelemetry

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
	"go.opentelemetry.io/otel/trace"

	"example.com/dice/shared/telemetry"
)

const scope = "example.com/dice/shared/httptelemetry"

var duration = telemetry.Must(httpconv.NewServerRequestDuration(
	otel.Meter(scope, metric.WithInstrumentationVersion(telemetry.Version()), metric.WithSchemaURL(semconv.SchemaURL)),
	// The bounds that the semantic conventions recommend.
	metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
))

// Server returns a middleware that adds to the request's span what otelchi leaves out, and records
// http.server.request.duration, in seconds. Put it inside otelchi's middleware, because it needs the span, and outside
// the one that turns panics into responses.
//
// The span's url.query keeps only the named parameters. Callers may put anything into other parameters, even names and
// passwords, so the names and values of those are replaced with REDACTED.
//
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span
// https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#metric-httpserverrequestduration
func Server(parameters ...string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := time.Now()
			span := trace.SpanFromContext(r.Context())
			span.SetAttributes(requestAttributes(r, parameters)...)
			recorder := middleware.NewWrapResponseWriter(w, r.ProtoMajor)

			next.ServeHTTP(recorder, r)

			seconds := time.Since(start).Seconds()
			status := cmp.Or(recorder.Status(), http.StatusOK) // net/http's default when a handler writes no header
			if status >= http.StatusInternalServerError {
				span.SetAttributes(semconv.ErrorTypeKey.String(strconv.Itoa(status)))
			}
			duration.Record(r.Context(), seconds, method(r), scheme(r), metricAttributes(r, status)...)
		})
	}
}

func requestAttributes(r *http.Request, parameters []string) []attribute.KeyValue {
	attributes := []attribute.KeyValue{semconv.URLPath(r.URL.Path)}
	if r.URL.RawQuery != "" {
		attributes = append(attributes, semconv.URLQuery(redact(r.URL.RawQuery, parameters)))
	}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		attributes = append(attributes, semconv.ClientAddress(host))
	}
	return attributes
}

// redact returns the query string with all parameters but these replaced with REDACTED.
func redact(query string, parameters []string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		return "REDACTED"
	}
	redacted := make(url.Values)
	for name, value := range values {
		if slices.Contains(parameters, name) {
			redacted[name] = value
		} else {
			redacted.Set("REDACTED", "REDACTED") // callers choose the names too
		}
	}
	return redacted.Encode()
}

// metricAttributes must be called after the router has stored the route in the request's context.
func metricAttributes(r *http.Request, status int) []attribute.KeyValue {
	attributes := []attribute.KeyValue{
		duration.AttrResponseStatusCode(status),
		duration.AttrNetworkProtocolVersion(protocolVersion(r)),
	}
	if route := chi.RouteContext(r.Context()).RoutePattern(); route != "" {
		attributes = append(attributes, duration.AttrRoute(route))
	}
	if status >= http.StatusInternalServerError {
		attributes = append(attributes, duration.AttrErrorType(httpconv.ErrorTypeAttr(strconv.Itoa(status))))
	}
	return attributes
}

// protocolVersion returns "1.0", "1.1", "2" or "3".
func protocolVersion(r *http.Request) string {
	if r.ProtoMajor == 1 {
		return "1." + strconv.Itoa(r.ProtoMinor)
	}
	return strconv.Itoa(r.ProtoMajor)
}

// method keeps callers from creating a time series for every method they invent.
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
