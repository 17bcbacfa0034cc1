package main

import (
	"time"

	"example.com/dice/shared/env"
)

type config struct {
	addr     string
	diceFile string
	latency  time.Duration
}

// readConfig reads the environment. Its error names the variable with the bad value.
func readConfig() (config, error) {
	var vars env.Reader
	cfg := config{
		addr:     vars.Addr("ADDR", ":8080"),
		diceFile: vars.String("DICE_FILE", "dice.json"),
		latency:  vars.Duration("LATENCY", 0, 10*time.Second),
	}
	return cfg, vars.Err()
}
