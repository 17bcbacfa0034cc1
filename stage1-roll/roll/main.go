// Command roll rolls dice: GET /roll?die=fair.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"example.com/dice/shared/chance"
	"example.com/dice/shared/httpserver"
	"example.com/dice/shared/telemetry"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "roll:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	cfg, err := readConfig()
	if err != nil {
		return err
	}

	flush, err := telemetry.Start(ctx, "roll", os.Stdout)
	if err != nil {
		return fmt.Errorf("starting telemetry: %w", err)
	}
	defer func() { err = errors.Join(err, flush(ctx)) }()

	roller := roller{chance: chance.New(cfg.seed), maxWait: cfg.maxWait}
	return httpserver.Run(ctx, cfg.addr, newRouter(handler{roller}))
}
