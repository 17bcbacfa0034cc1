package main

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"example.com/dice/shared/httptelemetry"
	"example.com/dice/shared/upstream"
)

const rollTimeout = 15 * time.Second // MAX_WAIT of the roll service can be 10 s

// rollService is a client of the roll service.
type rollService struct {
	url     string
	client  *http.Client
	batches *http.Client // for several dice
}

func newRollService(url string, timeout time.Duration) rollService {
	connections := upstream.Connections()
	return rollService{
		url:     url,
		client:  &http.Client{Transport: traced(connections, "/roll"), Timeout: timeout},
		batches: &http.Client{Transport: traced(connections, "/roll-async"), Timeout: timeout},
	}
}

// traced creates a client span and records a duration for every call to one route, and sends the trace context in the
// headers. The route is a constant: if span names contained IDs from the path, there would be as many names as IDs.
func traced(connections http.RoundTripper, route string) http.RoundTripper {
	return otelhttp.NewTransport(httptelemetry.Client(connections),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.Method + " " + route }),
		otelhttp.WithSpanOptions(trace.WithAttributes(semconv.URLTemplate(route))),
	)
}

// reply is the content of the output box.
type reply struct {
	status int
	body   string
}

// roll asks for one roll, or for several at once, and returns the response, whatever its status. Pass its error to
// upstream.Explain.
func (s rollService) roll(ctx context.Context, die, times string) (reply, error) {
	client, path, query := s.client, "/roll?", url.Values{"die": {die}}
	if times != "1" {
		client, path = s.batches, "/roll-async?"
		query.Set("times", times)
	}
	status, body, err := upstream.Get(ctx, client, s.url+path+query.Encode())
	return reply{status, string(body)}, err
}
