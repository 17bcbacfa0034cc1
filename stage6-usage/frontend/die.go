package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"example.com/dice/shared/upstream"
)

const lookupTimeout = 2 * time.Second // for both attempts together

// dieService is the die service as this one sees it.
type dieService struct {
	url    string
	client *http.Client
}

func newDieService(url string, timeout time.Duration) dieService {
	return dieService{url: url, client: &http.Client{Transport: upstream.Retry(traced("/dice")), Timeout: timeout}}
}

// identifiers returns the names of all dice. What its error means, upstream.Explain knows.
func (s dieService) identifiers(ctx context.Context) ([]string, error) {
	var all struct{ Identifiers []string }
	err := upstream.GetJSON(ctx, s.client, s.url+"/dice", &all)
	if err == nil && len(all.Identifiers) == 0 {
		err = errors.New("the reply has no identifiers")
	}
	return all.Identifiers, err
}
