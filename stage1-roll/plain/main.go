// Command plain is the roll service without instrumentation: compare it with ../roll.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"example.com/dice/shared/chance"
	"example.com/dice/shared/httpserver"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "roll:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	cfg, err := readConfig()
	if err != nil {
		return err
	}

	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stdout, nil)))

	roller := roller{chance: chance.New(cfg.seed), maxWait: cfg.maxWait}
	return httpserver.Run(ctx, cfg.addr, newRouter(handler{roller}))
}
