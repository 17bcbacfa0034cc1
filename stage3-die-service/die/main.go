// Command die serves the specifications of the dice: GET /dice, and GET /dice?identifier=fair.
package main

import (
	"context"
	"fmt"
	"os"

	"example.com/dice/shared/httpserver"
	"example.com/dice/shared/program"
	"example.com/dice/shared/telemetry"
)

func main() { program.Main("die", run) }

func run(ctx context.Context) (err error) {
	cfg, err := readConfig()
	if err != nil {
		return err
	}

	flush, err := telemetry.Start(ctx, "die", os.Stdout)
	if err != nil {
		return fmt.Errorf("starting telemetry: %w", err)
	}
	defer func() { err = flush(ctx, err) }()

	dice, err := readDice(cfg.diceFile)
	if err != nil {
		return fmt.Errorf("DICE_FILE=%q: %w", cfg.diceFile, err)
	}
	return httpserver.Run(ctx, cfg.addr, newRouter(handler{dice, cfg.latency}))
}
