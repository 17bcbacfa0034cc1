// Command roll rolls dice: GET /roll?die=fair.
package main

import (
	"context"
	"fmt"
	"os"

	"example.com/dice/shared/chance"
	"example.com/dice/shared/httpserver"
	"example.com/dice/shared/program"
	"example.com/dice/shared/telemetry"
)

func main() { program.Main("roll", run) }

func run(ctx context.Context) (err error) {
	cfg, err := readConfig()
	if err != nil {
		return err
	}

	flush, err := telemetry.Start(ctx, "roll", os.Stdout)
	if err != nil {
		return fmt.Errorf("starting telemetry: %w", err)
	}
	defer func() { err = flush(ctx, err) }()

	dieService := newDieService(cfg.dieURL, lookupTimeout)
	roller := roller{chance: chance.New(cfg.seed), maxWait: cfg.maxWait}
	return httpserver.Run(ctx, cfg.addr, newRouter(handler{dieService, roller}))
}
