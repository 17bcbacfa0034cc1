package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"example.com/dice/shared/httptelemetry"
	"example.com/dice/shared/upstream"
)

const lookupTimeout = 2 * time.Second // for both attempts

// dieService is a client of the die service.
type dieService struct {
	url    string
	client *http.Client
}

// newDieService puts retries outside the tracing transport, so that each attempt has its own span.
func newDieService(url string, timeout time.Duration) dieService {
	const route = "/dice"
	traced := otelhttp.NewTransport(httptelemetry.Client(upstream.Connections()),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.Method + " " + route }),
		otelhttp.WithSpanOptions(trace.WithAttributes(semconv.URLTemplate(route))),
	)
	return dieService{url: url, client: &http.Client{Transport: upstream.Retry(traced), Timeout: timeout}}
}

// find looks up a die. Pass its error to upstream.Explain, unless it has the status 404: then the die is unknown.
func (s dieService) find(ctx context.Context, identifier string) (die, error) {
	var found struct {
		Faces     []int
		ErrorRate *float64 `json:"error_rate"`
	}
	query := url.Values{"identifier": {identifier}}
	if err := upstream.GetJSON(ctx, s.client, s.url+"/dice?"+query.Encode(), &found); err != nil {
		return die{}, err
	}
	if len(found.Faces) != 6 || found.ErrorRate == nil || *found.ErrorRate < 0 || *found.ErrorRate > 1 {
		return die{}, errors.New("the response is not a die specification")
	}
	return die{identifier: identifier, faces: found.Faces, errorRate: *found.ErrorRate}, nil
}
