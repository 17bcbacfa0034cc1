package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"example.com/dice/shared/httpjson"
	"example.com/dice/shared/upstream"
)

type handler struct {
	dieService dieService
	roller     roller
	maxTimes   int // the most dice in one request
}

// roll answers GET /roll?die=fair.
func (h handler) roll(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		refuse(ctx, w, fmt.Errorf("malformed query string: %w", err))
		return
	}
	identifier, err := requestedDie(query["die"])
	if err != nil {
		refuse(ctx, w, err)
		return
	}
	d, err := h.dieService.find(ctx, identifier)
	if err != nil {
		noDie(ctx, w, err)
		return
	}

	value, err := h.roller.rollDie(ctx, d)
	switch {
	case errors.Is(err, context.Canceled):
		slog.InfoContext(ctx, "roll canceled by the caller", "die.identifier", d.identifier)
		httpjson.Error(w, httpjson.StatusClientClosedRequest, "canceled by the caller")
	case err != nil:
		slog.ErrorContext(ctx, "roll failed", "die.identifier", d.identifier, "error", err)
		httpjson.Error(w, http.StatusInternalServerError, err.Error())
	default:
		slog.InfoContext(ctx, "rolled", "die.identifier", d.identifier, "die.value", value)
		httpjson.Reply(w, http.StatusOK, map[string]int{"roll": value})
	}
}

// noDie responds to a request whose die could not be looked up: it is unknown, or the lookup failed.
func noDie(ctx context.Context, w http.ResponseWriter, err error) {
	if reply, _ := errors.AsType[upstream.StatusError](err); reply.Status == http.StatusNotFound && reply.Message != "" {
		refuse(ctx, w, errors.New(reply.Message))
		return
	}
	if errors.Is(err, context.Canceled) {
		slog.InfoContext(ctx, "lookup canceled by the caller")
	} else {
		slog.ErrorContext(ctx, "lookup failed", "error", err)
	}
	status, sentence := upstream.Explain("die", err)
	httpjson.Error(w, status, sentence)
}

// refuse responds with 400 and the reason.
func refuse(ctx context.Context, w http.ResponseWriter, reason error) {
	slog.WarnContext(ctx, "roll refused", "error", reason)
	httpjson.Error(w, http.StatusBadRequest, reason.Error())
}

// requestedDie returns the die in a request. Its error is meant for the caller.
func requestedDie(dice []string) (string, error) {
	switch len(dice) {
	case 0:
		return "", errors.New("die is missing: add one, such as ?die=fair")
	case 1:
		return dice[0], nil
	default:
		return "", fmt.Errorf("die is given %d times: give it once", len(dice))
	}
}
