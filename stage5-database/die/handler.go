package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"example.com/dice/shared/httpjson"
)

const queryTimeout = time.Second // for all queries of a request; callers wait 2 s

type handler struct {
	store   *store
	latency time.Duration // added to every response, to show how a slow service looks
}

// dice answers GET /dice with all identifiers, and GET /dice?identifier=fair with one specification.
func (h handler) dice(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	select {
	case <-ctx.Done():
		slog.InfoContext(ctx, "lookup canceled by the caller")
		httpjson.Error(w, httpjson.StatusClientClosedRequest, "canceled by the caller")
		return
	case <-time.After(h.latency):
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	values, err := url.ParseQuery(r.URL.RawQuery)
	switch identifiers := values["identifier"]; {
	case err != nil:
		refuse(ctx, w, http.StatusBadRequest, fmt.Errorf("malformed query string: %w", err))
	case len(identifiers) > 1:
		refuse(ctx, w, http.StatusBadRequest, fmt.Errorf("identifier is given %d times: give it once", len(identifiers)))
	case len(identifiers) == 0:
		all, err := h.store.list(ctx)
		if err != nil {
			fail(ctx, w, err)
			return
		}
		httpjson.Reply(w, http.StatusOK, map[string][]string{"identifiers": all})
	default:
		d, err := h.store.find(ctx, identifiers[0])
		if err != nil {
			fail(ctx, w, err)
			return
		}
		slog.InfoContext(ctx, "die looked up", "die.identifier", identifiers[0])
		httpjson.Reply(w, http.StatusOK, d)
	}
}

// fail responds to a request whose die could not be looked up: it is unknown, or the database failed.
func fail(ctx context.Context, w http.ResponseWriter, err error) {
	_, unknown := errors.AsType[unknownError](err)
	switch {
	case unknown:
		refuse(ctx, w, http.StatusNotFound, err)
	case errors.Is(err, context.Canceled):
		slog.InfoContext(ctx, "lookup canceled by the caller")
		httpjson.Error(w, httpjson.StatusClientClosedRequest, "canceled by the caller")
	default:
		slog.ErrorContext(ctx, "lookup failed", "error", err)
		httpjson.Error(w, http.StatusServiceUnavailable, "the database is not responding; try again later")
	}
}

func refuse(ctx context.Context, w http.ResponseWriter, status int, reason error) {
	slog.WarnContext(ctx, "lookup refused", "error", reason)
	httpjson.Error(w, status, reason.Error())
}
