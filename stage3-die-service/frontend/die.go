package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"example.com/dice/shared/upstream"
)

const lookupTimeout = 2 * time.Second // for both attempts

// dieService is a client of the die service.
type dieService struct {
	url    string
	client *http.Client
}

func newDieService(url string, timeout time.Duration) dieService {
	return dieService{url: url, client: &http.Client{Transport: upstream.Retry(traced(upstream.Connections(), "/dice")), Timeout: timeout}}
}

// identifiers returns the names of all dice. Pass its error to upstream.Explain.
func (s dieService) identifiers(ctx context.Context) ([]string, error) {
	var all struct{ Identifiers []string }
	err := upstream.GetJSON(ctx, s.client, s.url+"/dice", &all)
	if err == nil && len(all.Identifiers) == 0 {
		err = errors.New("the response has no identifiers")
	}
	return all.Identifiers, err
}
