package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"example.com/dice/shared/httpjson"
)

// rollAsync answers GET /roll-async?die=fair&times=10 with the total of that many rolls.
func (h handler) rollAsync(w http.ResponseWriter, r *http.Request) {
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
	times, err := requestedTimes(query["times"], h.maxTimes)
	if err != nil {
		refuse(ctx, w, err)
		return
	}
	span := trace.SpanFromContext(ctx)
	span.SetAttributes(attribute.Int("dice.batch.size", times))
	d, err := h.dieService.find(ctx, identifier)
	if err != nil {
		noDie(ctx, w, err)
		return
	}

	start := time.Now()
	total, err := h.roller.rollBatch(ctx, d, times)
	span.SetAttributes(outcome("dice.batch.outcome", err)...)
	log := slog.With("die.identifier", d.identifier, "dice.batch.size", times, "dice.batch.duration", time.Since(start).Seconds())
	switch {
	case errors.Is(err, context.Canceled):
		log.InfoContext(ctx, "batch canceled by the caller")
		httpjson.Error(w, httpjson.StatusClientClosedRequest, "canceled by the caller")
	case err != nil:
		log.ErrorContext(ctx, "batch failed", "error", err)
		httpjson.Error(w, http.StatusInternalServerError, err.Error())
	default:
		log.InfoContext(ctx, "batch rolled", "dice.batch.total", total)
		httpjson.Reply(w, http.StatusOK, map[string]int{"total": total})
	}
}

// rollBatch rolls the die that many times and returns the total. It returns the error of the first roll that
// failed. It records one batch.
func (r roller) rollBatch(ctx context.Context, d die, times int) (int, error) {
	total, err := r.rollConcurrently(ctx, d, times)
	attributes := append(outcome("dice.batch.outcome", err), attribute.String("die.identifier", d.identifier))
	batchSize.Record(ctx, int64(times), metric.WithAttributes(attributes...))
	return total, err
}

// rollConcurrently rolls all dice at once, and returns when all have finished. The first failure cancels the context of
// the others.
func (r roller) rollConcurrently(ctx context.Context, d die, times int) (int, error) {
	group, ctx := errgroup.WithContext(ctx)
	var total atomic.Int64
	for range times {
		group.Go(func() error {
			value, err := r.rollDie(ctx, d)
			total.Add(int64(value))
			return err
		})
	}
	err := group.Wait()
	return int(total.Load()), err
}

// requestedTimes returns the number of rolls in a request. Its error is meant for the caller.
func requestedTimes(times []string, most int) (int, error) {
	switch len(times) {
	case 0:
		return 0, errors.New("times is missing: add it, such as &times=10")
	case 1:
		n, err := strconv.Atoi(times[0])
		if err != nil || n < 1 || n > most {
			return 0, fmt.Errorf("times is %.40q: must be a whole number from 1 to %d", times[0], most)
		}
		return n, nil
	default:
		return 0, fmt.Errorf("times is given %d times: give it once", len(times))
	}
}
