package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"example.com/dice/shared/httpjson"
)

type handler struct{ roller roller }

// roll answers GET /roll?die=fair.
func (h handler) roll(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	d, err := requestedDie(r.URL.RawQuery)
	if err != nil {
		slog.WarnContext(ctx, "roll refused", "error", err)
		httpjson.Error(w, http.StatusBadRequest, err.Error())
		return
	}

	value, err := h.roller.roll(ctx, d)
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

// requestedDie finds the die that a query string asks for. Its error is for the caller to read.
func requestedDie(query string) (die, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return die{}, fmt.Errorf("malformed query string: %w", err)
	}
	switch dice := values["die"]; len(dice) {
	case 0:
		return die{}, errors.New("die is missing: add ?die=fair or ?die=risky")
	case 1:
		return findDie(dice[0])
	default:
		return die{}, fmt.Errorf("die is given %d times: give it once", len(dice))
	}
}
