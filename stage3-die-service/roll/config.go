package main

import (
	"math/rand/v2"
	"time"

	"example.com/dice/shared/env"
)

// longestWait keeps responses well within the server's write timeout.
const longestWait = 10 * time.Second

type config struct {
	addr    string
	dieURL  string
	maxWait time.Duration
	seed    uint64
}

// readConfig reads the environment. Its error names the variable that is missing or has a bad value.
func readConfig() (config, error) {
	var vars env.Reader
	cfg := config{
		addr:    vars.Addr("ADDR", ":8080"),
		dieURL:  vars.RequiredURL("DIE_URL"),
		maxWait: vars.Duration("MAX_WAIT", time.Second, longestWait),
		seed:    vars.Uint64("SEED", rand.Uint64()),
	}
	return cfg, vars.Err()
}
