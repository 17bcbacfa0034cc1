package httptelemetry

import (
	"context"
	"net/http"
	"strconv"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Client returns a transport that adds what otelhttp leaves out. http.client.request.duration gets an error.type if the
// status is 400 or above, and the span gets the number of earlier attempts; see [WithResendCount]. Put it inside
// otelhttp's transport.
//
// https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#metric-httpclientrequestduration
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-request-retries-and-redirects
func Client(next http.RoundTripper) http.RoundTripper { return client{next} }

type client struct{ next http.RoundTripper }

func (c client) RoundTrip(r *http.Request) (*http.Response, error) {
	if resends, _ := r.Context().Value(resendKey{}).(int); resends > 0 {
		trace.SpanFromContext(r.Context()).SetAttributes(semconv.HTTPRequestResendCount(resends))
	}
	response, err := c.next.RoundTrip(r)
	if err == nil && response.StatusCode >= http.StatusBadRequest {
		labeler, _ := otelhttp.ClientLabelerFromContext(r.Context())
		labeler.Add(semconv.ErrorTypeKey.String(strconv.Itoa(response.StatusCode)))
	}
	return response, err
}

type resendKey struct{}

// WithResendCount returns the context for a request that has been sent this many times before.
func WithResendCount(ctx context.Context, resends int) context.Context {
	return context.WithValue(ctx, resendKey{}, resends)
}
