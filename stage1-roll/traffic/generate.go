package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
)

var errInterrupted = errors.New("interrupted before all users were done")

// generate runs all users until each has finished its last roll, and logs a summary.
func generate(ctx context.Context, cfg config, users []*user, progress *progress) error {
	slog.InfoContext(ctx, "traffic generation starts",
		"target", cfg.target,
		"users", len(users),
		"rolls", totalRolls(users),
		"seed", cfg.seed,
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
		replies.log(ctx, "traffic generation was interrupted", cfg)
		return errInterrupted
	}
	replies.log(ctx, "traffic generation is complete", cfg)
	return replies.err()
}
