package upstream

import (
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"example.com/dice/shared/httptelemetry"
	"example.com/dice/shared/telemetry"
)

const attempts = 2

const scope = "example.com/dice/shared/upstream"

var meter = otel.Meter(scope, metric.WithInstrumentationVersion(telemetry.Version()), metric.WithSchemaURL(semconv.SchemaURL))

var retries = telemetry.Must(meter.Int64Counter("dice.call.retries",
	metric.WithUnit("{retry}"),
	metric.WithDescription("Calls to another service that were retried because the connection failed."),
))

// Retry returns a transport that sends a request a second time, after a short random pause, if the connection failed:
// the first attempt cannot have had an effect. It is for requests without a body, and counts dice.call.retries.
//
// Put it around a tracing transport, so that each attempt gets its own span. net/http itself also retries a GET, within
// one span, if an idle connection breaks before the first byte of the response.
func Retry(next http.RoundTripper) http.RoundTripper { return retrying{next} }

type retrying struct{ next http.RoundTripper }

func (t retrying) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = 100 * time.Millisecond // plus or minus half, so that callers don't all retry at once
	resends := 0
	attempt := func() (*http.Response, error) {
		response, err := t.next.RoundTrip(r.WithContext(httptelemetry.WithResendCount(ctx, resends)))
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
