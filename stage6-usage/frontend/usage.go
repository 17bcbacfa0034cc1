package main

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
)

// Records of usage tell what users do, not how the service runs. The attribute usage has the collector send them to a
// place of their own, see collector.yaml. They alone have the user's name.

// trackSignIn records that a user has signed in.
func trackSignIn(ctx context.Context, user string) {
	slog.InfoContext(ctx, "signed in", "usage", true, "event", "sign-in", "user", user)
}

// trackRun records that a user has run a die, and the status of the reply. The die and the number of dice are what
// somebody wrote, until the roll service has taken them: only then are they recorded.
func trackRun(ctx context.Context, user, die, times string, status int) {
	run := []any{"usage", true, "event", "run", "user", user, "status", status}
	dice, err := strconv.Atoi(times)
	if err == nil && (status == http.StatusOK || status == http.StatusInternalServerError) {
		run = append(run, "die", die, "dice", dice)
	}
	slog.InfoContext(ctx, "ran", run...)
}
