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

const rollTimeout = 15 * time.Second // the roll service may be set to wait for 10 s

// rollService is the roll service as this one sees it.
type rollService struct {
	url    string
	client *http.Client
}

func newRollService(url string, timeout time.Duration) rollService {
	return rollService{url: url, client: &http.Client{Transport: traced("/roll"), Timeout: timeout}}
}

// traced makes a client span and a duration for every call to one route, and passes the trace on in the headers. The
// route is a constant: if names of spans held the id in a path, there would be as many names as ids.
func traced(route string) http.RoundTripper {
	return otelhttp.NewTransport(httptelemetry.Client(upstream.Connections()),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.Method + " " + route }),
		otelhttp.WithSpanOptions(trace.WithAttributes(semconv.URLTemplate(route))),
	)
}

// reply is what goes into the output box.
type reply struct {
	status int
	body   string
}

// roll asks for one roll and returns the reply, whatever its status. What its error means, upstream.Explain knows.
func (s rollService) roll(ctx context.Context, die string) (reply, error) {
	query := url.Values{"die": {die}}
	status, body, err := upstream.Get(ctx, s.client, s.url+"/roll?"+query.Encode())
	return reply{status, string(body)}, err
}
