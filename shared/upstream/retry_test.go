package upstream_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"example.com/dice/shared/upstream"
)

// metricReader reads what the instruments of this package count: they keep to the first provider that is set.
var metricReader = sdkmetric.NewManualReader()

func init() { otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(metricReader))) }

// attempts is a transport that fails with these errors, one after the other, and then succeeds.
type attempts struct {
	failures []error
	made     int
}

func (a *attempts) RoundTrip(*http.Request) (*http.Response, error) {
	a.made++
	if a.made <= len(a.failures) {
		return nil, a.failures[a.made-1]
	}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

func TestRetry(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	reset := &net.OpError{Op: "read", Err: errors.New("connection reset")}
	tests := []struct {
		name     string
		failures []error
		attempts int
		err      error
	}{
		{"no failure", nil, 1, nil},
		{"one refusal", []error{refused}, 2, nil},
		{"two refusals", []error{refused, refused}, 2, refused},
		{"cut off: it may have had an effect", []error{reset}, 1, reset},
		{"refused, then cut off", []error{refused, reset}, 2, reset},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				transport, start := &attempts{failures: test.failures}, time.Now()
				status, _, err := upstream.Get(t.Context(), &http.Client{Transport: upstream.Retry(transport)}, "http://die")
				if !errors.Is(err, test.err) || (err == nil) != (status == http.StatusOK) || transport.made != test.attempts {
					t.Errorf("status %d, %v after %d attempts, want %v after %d", status, err, transport.made, test.err, test.attempts)
				}
				if took := time.Since(start); took > 150*time.Millisecond || (test.attempts > 1) != (took >= 50*time.Millisecond) {
					t.Errorf("%d attempts took %s", transport.made, took)
				}
			})
		})
	}
}

func TestRetryEndsWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		start := time.Now()
		_, _, err := upstream.Get(ctx, &http.Client{Transport: upstream.Retry(&attempts{failures: []error{refused}})}, "http://die")
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took != 10*time.Millisecond {
			t.Errorf("%v after %s", err, took)
		}
	})
}

func TestRetriesAreCounted(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	before := retries(t, "counted")
	client := &http.Client{Transport: upstream.Retry(&attempts{failures: []error{refused}})}
	if _, _, err := upstream.Get(t.Context(), client, "http://counted:8080"); err != nil {
		t.Fatal(err)
	}
	if got := retries(t, "counted") - before; got != 1 {
		t.Errorf("%d retries were counted, want 1", got)
	}
}

// retries returns the value of dice.call.retries for a server.
func retries(t *testing.T, server string) int64 {
	t.Helper()
	var got metricdata.ResourceMetrics
	if err := metricReader.Collect(t.Context(), &got); err != nil {
		t.Fatal(err)
	}
	for _, scope := range got.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != "dice.call.retries" || m.Unit != "{retry}" {
				continue
			}
			for _, point := range m.Data.(metricdata.Sum[int64]).DataPoints {
				if point.Attributes.Equals(new(attribute.NewSet(attribute.String("server.address", server)))) {
					return point.Value
				}
			}
		}
	}
	return 0
}
