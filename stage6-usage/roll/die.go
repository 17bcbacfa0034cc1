package main

import (
	"errors"
	"math/rand/v2"
)

// errDieFailed is the failure of a die itself, not of its caller or of the service.
var errDieFailed = errors.New("the die failed; roll again")

// die is what there is to know of a die.
type die struct {
	identifier string
	faces      []int
	errorRate  float64 // the probability that a roll fails
}

// roll rolls the die once and returns one of its faces, or errDieFailed.
func (d die) roll(chance *rand.Rand) (int, error) {
	if chance.Float64() < d.errorRate {
		return 0, errDieFailed
	}
	return d.faces[chance.IntN(len(d.faces))], nil
}
