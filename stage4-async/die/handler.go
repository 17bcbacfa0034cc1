package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"example.com/dice/shared/httpjson"
)

type handler struct {
	all     dice
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
	values, err := url.ParseQuery(r.URL.RawQuery)
	switch identifiers := values["identifier"]; {
	case err != nil:
		refuse(ctx, w, http.StatusBadRequest, fmt.Errorf("malformed query string: %w", err))
	case len(identifiers) > 1:
		refuse(ctx, w, http.StatusBadRequest, fmt.Errorf("identifier is given %d times: give it once", len(identifiers)))
	case len(identifiers) == 0:
		httpjson.Reply(w, http.StatusOK, map[string][]string{"identifiers": h.all.identifiers})
	default:
		d, err := h.all.find(identifiers[0])
		if err != nil {
			refuse(ctx, w, http.StatusNotFound, err)
			return
		}
		slog.InfoContext(ctx, "die looked up", "die.identifier", identifiers[0])
		httpjson.Reply(w, http.StatusOK, d)
	}
}

func refuse(ctx context.Context, w http.ResponseWriter, status int, reason error) {
	slog.WarnContext(ctx, "lookup refused", "error", reason)
	httpjson.Error(w, status, reason.Error())
}
