package main

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
)

var errInterrupted = errors.New("interrupted before all users had finished")

// generate runs all users until each has finished its last roll, and logs a summary.
func generate(ctx context.Context, cfg config, users []*user, progress *progress) error {
	slog.LogAttrs(ctx, slog.LevelInfo, "traffic generation started",
		slog.String("target", cfg.target),
		slog.Int("users", len(users)),
		slog.Int("rolls", totalRolls(users)),
		slog.String("seed", strconv.FormatUint(cfg.seed, 10)), // as a JSON number, it would lose digits
		cfg.whereToLook(),
	)

	var replies report
	var group sync.WaitGroup
	for _, u := range users {
		group.Go(func() {
			u.play(ctx, func(r reply) {
				replies.add(r)
				progress.rolled()
			})
		})
	}
	group.Wait()
	progress.finish()

	if ctx.Err() != nil {
		slog.LogAttrs(ctx, slog.LevelWarn, "traffic generation was interrupted", replies.summary(cfg)...)
		return errInterrupted
	}
	slog.LogAttrs(ctx, slog.LevelInfo, "traffic generation is complete", replies.summary(cfg)...)
	return replies.err()
}
