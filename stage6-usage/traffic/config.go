package main

import (
	"log/slog"
	"math/rand/v2"

	"example.com/dice/shared/env"
)

const (
	mostUsers = 100_000
	mostRolls = 1_000_000
	mostTimes = 100_000
)

type config struct {
	target          string
	users           int
	maxRollsPerUser int
	asyncShare      float64 // share of rolls with several dice
	maxTimesPerRoll int
	seed            uint64
	grafana         string
}

// readConfig reads the environment. Its error names the variable that is missing or has a bad value.
func readConfig() (config, error) {
	var vars env.Reader
	cfg := config{
		target:          vars.RequiredURL("TARGET_URL"),
		users:           vars.Int("NUM_USERS", 10, 1, mostUsers),
		maxRollsPerUser: vars.Int("MAX_ROLLS_PER_USER", 20, 1, mostRolls),
		asyncShare:      vars.Float("ASYNC_SHARE", 0.3, 0, 1),
		maxTimesPerRoll: vars.Int("MAX_TIMES_PER_ROLL", 10, 2, mostTimes),
		seed:            vars.Uint64("SEED", rand.Uint64()),
		grafana:         vars.URL("GRAFANA_URL", ""),
	}
	return cfg, vars.Err()
}

// whereToLook returns an attribute with Grafana's URL, or an empty one if there is no Grafana.
func (c config) whereToLook() slog.Attr {
	if c.grafana == "" {
		return slog.Attr{}
	}
	return slog.String("grafana", c.grafana)
}
