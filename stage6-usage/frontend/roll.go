package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"example.com/dice/shared/upstream"
)

const rollTimeout = 15 * time.Second // the roll service may be set to wait for 10 s

// rollService is the roll service as this one sees it.
type rollService struct {
	url    string
	client *http.Client
}

func newRollService(url string, timeout time.Duration) rollService {
	return rollService{url: url, client: &http.Client{Transport: traced(), Timeout: timeout}}
}

// traced makes a client span and a duration for every call, and passes the trace on in the headers.
func traced() http.RoundTripper {
	return otelhttp.NewTransport(upstream.Connections(),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.Method + " " + r.URL.Path }),
	)
}

// reply is what goes into the output box.
type reply struct {
	status int
	body   string
}

func (r reply) String() string {
	return fmt.Sprintf("%d %s\n%s", r.status, http.StatusText(r.status), r.body)
}

// roll asks for one roll, or for several at once, and returns the reply, whatever its status. What its error
// means, upstream.Explain knows.
func (s rollService) roll(ctx context.Context, die, times string) (reply, error) {
	path, query := "/roll?", url.Values{"die": {die}}
	if times != "1" {
		path = "/roll-async?"
		query.Set("times", times)
	}
	status, body, err := upstream.Get(ctx, s.client, s.url+path+query.Encode())
	return reply{status, string(body)}, err
}
