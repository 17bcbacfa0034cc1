// Command traffic simulates users that roll dice, all at the same time, and exits.
//
// Its exit code is 0 although dice fail, and 1 if the target cannot be reached, the run was interrupted, or its
// telemetry could not be delivered.
package main

import (
	"context"
	"errors"
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
	defer func() { err = errors.Join(err, flush(ctx)) }()

	if err := reach(ctx, cfg.target); err != nil {
		return fmt.Errorf("cannot reach TARGET_URL=%q: %w", cfg.target, err)
	}
	return generate(ctx, cfg, users, progress)
}

// reach asks once for the target's health, outside of any trace.
func reach(ctx context.Context, target string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	status, _, err := upstream.Get(ctx, http.DefaultClient, target+"/healthz")
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("its health check answers %d %s", status, http.StatusText(status))
	}
	return err
}
