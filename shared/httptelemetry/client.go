package httptelemetry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Client returns a transport that adds what otelhttp leaves out. http.client.request.duration gets an error.type if the
// status is an error, and the span gets the number of earlier attempts; see [WithResendCount]. A call that has timed out or
// was canceled gets the same error.type wherever net/http noticed that. Put it inside otelhttp's transport.
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
	if err != nil {
		return nil, cause(r.Context(), err)
	}
	if failed := response.StatusCode >= http.StatusBadRequest || response.StatusCode < http.StatusContinue; failed {
		labeler, _ := otelhttp.ClientLabelerFromContext(r.Context())
		labeler.Add(semconv.ErrorTypeKey.String(strconv.Itoa(response.StatusCode)))
	}
	if response.StatusCode != http.StatusSwitchingProtocols { // whose body can also be written
		response.Body = body{response.Body, r.Context()}
	}
	return response, nil
}

// body is the body of a response whose errors say why a call failed.
type body struct {
	io.ReadCloser

	ctx context.Context
}

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // readers return it as it is
		err = cause(b.ctx, err)
	}
	return n, err
}

// canceled is [context.Canceled] with a type that says so. otelhttp takes error.type from the type of an error.
type canceled struct{ error }

func (c canceled) Unwrap() error { return c.error }

// cause returns why a call failed. net/http has several errors for the end of a context.
func cause(ctx context.Context, err error) error {
	deadline, ok := ctx.Deadline()
	switch {
	case ok && !time.Now().Before(deadline): // net/http can be faster than the context
		return context.DeadlineExceeded
	case errors.Is(ctx.Err(), context.Canceled):
		return canceled{context.Canceled}
	default:
		return err
	}
}

type resendKey struct{}

// WithResendCount returns the context for a request that has been sent this many times before.
func WithResendCount(ctx context.Context, resends int) context.Context {
	return context.WithValue(ctx, resendKey{}, resends)
}
