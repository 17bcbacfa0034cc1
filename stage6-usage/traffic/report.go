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

// report adds up the replies of all users. The zero value is ready to use, also concurrently.
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

// summary says how many rolls and dice there were, the replies by status, and the median and 95th percentile of the
// time to a reply.
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

// err is not nil if no roll at all had a reply.
func (r *report) err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.statuses[noReply] == len(r.durations) {
		return errors.New("the target became unreachable: no roll had a reply")
	}
	return nil
}

// quantile returns the smallest duration that at least the share q of all is not above (nearest rank).
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[rank-1]
}
