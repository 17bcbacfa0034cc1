// Command traffic simulates users who roll dice concurrently, and exits.
//
// It exits with status 0 even if dice fail, and with 1 if the target cannot be reached, the run was interrupted, or
// telemetry could not be delivered.
package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"example.com/dice/shared/program"
	"example.com/dice/shared/telemetry"
	"example.com/dice/shared/upstream"
)

func main() { program.Main("traffic", run) }

func run(ctx context.Context) (err error) {
	cfg, err := readConfig()
	if err != nil {
		return err
	}

	users := newUsers(cfg)
	progress := newProgress(totalRolls(users))
	flush, err := telemetry.Start(ctx, "traffic", progress)
	if err != nil {
		return fmt.Errorf("starting telemetry: %w", err)
	}
	defer func() { err = flush(ctx, err) }()

	if err := reach(ctx, cfg.target); err != nil {
		return fmt.Errorf("cannot reach TARGET_URL=%q: %w", cfg.target, err)
	}
	return generate(ctx, cfg, users, progress)
}

// reach checks the target's health once, without a trace.
func reach(ctx context.Context, target string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	status, _, err := upstream.Get(ctx, http.DefaultClient, target+"/healthz")
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("its health check returned %d %s", status, http.StatusText(status))
	}
	return err
}
