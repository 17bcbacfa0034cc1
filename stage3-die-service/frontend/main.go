// Command frontend serves the web page: choose a die, press Run, and see the roll service's response.
package main

import (
	"context"
	"fmt"
	"os"

	"example.com/dice/shared/httpserver"
	"example.com/dice/shared/program"
	"example.com/dice/shared/telemetry"
)

func main() { program.Main("frontend", run) }

func run(ctx context.Context) (err error) {
	cfg, err := readConfig()
	if err != nil {
		return err
	}

	flush, err := telemetry.Start(ctx, "frontend", os.Stdout)
	if err != nil {
		return fmt.Errorf("starting telemetry: %w", err)
	}
	defer func() { err = flush(ctx, err) }()

	dieService := newDieService(cfg.dieURL, lookupTimeout)
	rollService := newRollService(cfg.rollURL, rollTimeout)
	return httpserver.Run(ctx, cfg.addr, newRouter(newHandler(dieService, rollService, cfg.grafana)))
}
