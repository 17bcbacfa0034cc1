package main

import (
	"context"
	"log/slog"
	"strconv"
)

// Records of usage tell what users do, not how the service runs. The attribute usage has the collector send them to a
// place of their own, see collector.yaml. They alone have the user's name.

// trackSignIn records that a user has signed in.
func trackSignIn(ctx context.Context, user string) {
	slog.InfoContext(ctx, "signed in", "usage", true, "event", "sign-in", "user", user)
}

// trackRun records that a user has run a die, and the status of the reply. What the user wrote for the number of dice
// is recorded only if it is a number.
func trackRun(ctx context.Context, user, die, times string, status int) {
	run := []any{"usage", true, "event", "run", "user", user, "die", die, "status", status}
	if dice, err := strconv.Atoi(times); err == nil {
		run = append(run, "dice", dice)
	}
	slog.InfoContext(ctx, "ran", run...)
}
