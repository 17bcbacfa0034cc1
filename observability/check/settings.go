package main

import (
	"time"

	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/freeport"
)

// maxWait is the longest random wait of the roll service before each roll.
const maxWait = 50 * time.Millisecond

// settings returns the variables of docker compose for a run.
func settings() compose.Settings {
	return compose.Settings{Override: append(freeport.Variables(), "SEED=1", "MAX_WAIT="+maxWait.String(), "NUM_USERS=10", "MAX_ROLLS_PER_USER=30")}
}
