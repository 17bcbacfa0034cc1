package main

import (
	"errors"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"
)

const noReply = "none"

// report collects the replies of all users. The zero value is ready to use. It is safe for concurrent use.
type report struct {
	mu        sync.Mutex
	durations []time.Duration
	statuses  map[string]int
	dice      int
}

func (r *report) add(got reply) {
	status := noReply
	if got.status != 0 {
		status = strconv.Itoa(got.status)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.statuses == nil {
		r.statuses = make(map[string]int)
	}
	r.statuses[status]++
	r.dice += got.dice
	r.durations = append(r.durations, got.duration)
}

// summary returns the number of rolls and dice, the replies by status, and the median and 95th percentile of the
// response time.
func (r *report) summary(cfg config) []slog.Attr {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.Sort(r.durations)
	return []slog.Attr{
		slog.Int("users", cfg.users),
		slog.Int("rolls", len(r.durations)),
		slog.Int("dice", r.dice),
		slog.Any("replies", r.statuses),
		slog.String("median", quantile(r.durations, 0.5).Round(time.Millisecond).String()),
		slog.String("p95", quantile(r.durations, 0.95).Round(time.Millisecond).String()),
		cfg.whereToLook(),
	}
}

// err returns an error if no roll got a reply.
func (r *report) err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.statuses[noReply] == len(r.durations) {
		return errors.New("the target became unreachable: no roll got a response")
	}
	return nil
}

// quantile returns the q-quantile by nearest rank: the smallest duration that a share of at least q does not exceed.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[rank-1]
}
