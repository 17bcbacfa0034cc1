package main

import (
	"context"
	"math/rand/v2"
	"time"
)

// roller rolls dice after a random wait of up to maxWait.
type roller struct {
	chance  *rand.Rand
	maxWait time.Duration
}

// rollDie waits, then rolls the die once. It fails with errDieFailed or with the error of ctx.
func (r roller) rollDie(ctx context.Context, d die) (int, error) {
	if err := r.wait(ctx); err != nil {
		return 0, err
	}
	return d.roll(r.chance)
}

func (r roller) wait(ctx context.Context) error {
	wait := time.Duration(r.chance.Int64N(int64(r.maxWait) + 1))
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}
