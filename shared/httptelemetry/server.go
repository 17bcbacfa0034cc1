// Package httptelemetry completes HTTP telemetry where otelchi and otelhttp fall short of the semantic conventions.
package httptelemetry

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
	"go.opentelemetry.io/otel/trace"

	"example.com/dice/shared/internal/response"
	"example.com/dice/shared/telemetry"
)

const scope = "example.com/dice/shared/httptelemetry"

var duration = telemetry.Must(httpconv.NewServerRequestDuration(
	otel.Meter(scope, metric.WithInstrumentationVersion(telemetry.Version()), metric.WithSchemaURL(semconv.SchemaURL)),
	// The bounds that the semantic conventions recommend.
	metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
))

// aborted is the error.type of a request whose handler panicked and got no 500: net/http drops the connection.
const aborted = "response_aborted"

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
			observed := response.Observe(w, beneath(w))
			returned := false
			defer func() { finish(span, r, time.Since(start), observed.Status, returned) }() // even if the handler panics
			next.ServeHTTP(observed, r)
			returned = true
		})
	}
}

// finish adds to the span how the request ended, and records its duration. The status is 0 if no response has begun.
func finish(span trace.Span, r *http.Request, took time.Duration, status int, returned bool) {
	route := route(r)
	if r.URL.RawPath != "" || !returned {
		nameSpan(span, r.Method, route)
	}
	ended, failed := result(status, returned)
	span.SetAttributes(ended...)
	if failed {
		span.SetStatus(codes.Error, "")
	}
	duration.Record(r.Context(), took.Seconds(), method(r), scheme(r), append(ended, metricAttributes(r, route)...)...)
}

// beneath returns the writer inside otelchi's, which takes the first status for the last, although 103 Early Hints may
// come before it.
func beneath(w http.ResponseWriter) http.ResponseWriter {
	if wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter }); ok {
		return wrapper.Unwrap()
	}
	return w
}

// result returns the attributes that say how a request ended, for both its span and the metric, and whether it failed.
func result(status int, returned bool) (attributes []attribute.KeyValue, failed bool) {
	if returned {
		status = cmp.Or(status, http.StatusOK) // what net/http sends then
	}
	if status != 0 {
		attributes = append(attributes, semconv.HTTPResponseStatusCode(status))
	}
	switch {
	case status >= http.StatusInternalServerError:
		return append(attributes, semconv.ErrorTypeKey.String(strconv.Itoa(status))), true
	case !returned:
		return append(attributes, semconv.ErrorTypeKey.String(aborted)), true
	default:
		return attributes, false
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

func metricAttributes(r *http.Request, route string) []attribute.KeyValue {
	attributes := []attribute.KeyValue{duration.AttrNetworkProtocolVersion(protocolVersion(r))}
	if route != "" {
		attributes = append(attributes, duration.AttrRoute(route))
	}
	return attributes
}

// nameSpan corrects what otelchi has taken from the decoded path before chi has matched the encoded one. It also does what
// otelchi does not come to if the handler panics.
func nameSpan(span trace.Span, method, route string) {
	span.SetName(strings.TrimSpace(method + " " + route))
	span.SetAttributes(semconv.HTTPRoute(route))
}

// route returns the route of a served request, or "". A request that a middleware refused before it was routed has one, too.
func route(r *http.Request) string {
	routing := chi.RouteContext(r.Context())
	if routing != nil && routing.RoutePattern() == "" {
		matched := chi.NewRouteContext()
		if routing.Routes.Match(matched, r.Method, cmp.Or(r.URL.RawPath, r.URL.Path, "/")) {
			routing.RoutePatterns = matched.RoutePatterns // for otelchi, which reads it next
		}
	}
	return routing.RoutePattern()
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
	switch method := httpconv.RequestMethodAttr(r.Method); method {
	case httpconv.RequestMethodGet, httpconv.RequestMethodHead, httpconv.RequestMethodPost, httpconv.RequestMethodPut,
		httpconv.RequestMethodPatch, httpconv.RequestMethodDelete, httpconv.RequestMethodConnect,
		httpconv.RequestMethodOptions, httpconv.RequestMethodTrace, httpconv.RequestMethodQuery:
		return method
	}
	return httpconv.RequestMethodOther
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}
