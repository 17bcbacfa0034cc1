package upstream

import (
	"context"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

const attempts = 2

var retries = must(otel.Meter("example.com/dice/shared/upstream").Int64Counter("dice.call.retries",
	metric.WithUnit("{retry}"),
	metric.WithDescription("Calls of another service that were sent again, because no connection came about."),
))

// Retry returns a transport that sends a request once more, after a short random pause, if no connection came
// about: then the first one had no effect. It is for requests without a body, and counts dice.call.retries.
//
// Put it around a tracing transport, so that each attempt has a span of its own. net/http sends a GET again by
// itself, within one span, if a connection that it had kept breaks before the first byte of the reply.
func Retry(next http.RoundTripper) http.RoundTripper { return retrying{next} }

type retrying struct{ next http.RoundTripper }

func (t retrying) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = 100 * time.Millisecond // give or take half of it: not all callers come back at once
	resends := 0
	attempt := func() (*http.Response, error) {
		response, err := t.next.RoundTrip(r.WithContext(context.WithValue(ctx, resendKey{}, resends)))
		if err != nil && !Unreachable(err) {
			err = backoff.Permanent(err)
		}
		return response, err
	}
	count := func(error, time.Duration) {
		resends++
		retries.Add(ctx, 1, metric.WithAttributes(semconv.ServerAddress(r.URL.Hostname())))
	}
	return backoff.Retry(ctx, attempt, backoff.WithBackOff(pause), backoff.WithMaxTries(attempts), backoff.WithNotify(count))
}

type resendKey struct{} // of how often a request was sent before

// numbered notes in the span of a request that was sent before, how often it was.
//
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-request-retries-and-redirects
type numbered struct{ next http.RoundTripper }

func (t numbered) RoundTrip(r *http.Request) (*http.Response, error) {
	if resends, _ := r.Context().Value(resendKey{}).(int); resends > 0 {
		trace.SpanFromContext(r.Context()).SetAttributes(semconv.HTTPRequestResendCount(resends))
	}
	return t.next.RoundTrip(r)
}

// must panics on what only a wrong instrument name or option can cause.
func must[T any](instrument T, err error) T {
	if err != nil {
		panic(err)
	}
	return instrument
}
