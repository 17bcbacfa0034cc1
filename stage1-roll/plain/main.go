// Command roll rolls dice: GET /roll?die=fair.
package main

import (
	"context"
	"log/slog"
	"os"

	"example.com/dice/shared/chance"
	"example.com/dice/shared/httpserver"
	"example.com/dice/shared/program"
)

func main() { program.Main("roll", run) }

func run(ctx context.Context) error {
	cfg, err := readConfig()
	if err != nil {
		return err
	}

	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stdout, nil)))

	roller := roller{chance: chance.New(cfg.seed), maxWait: cfg.maxWait}
	return httpserver.Run(ctx, cfg.addr, newRouter(handler{roller}))
}
