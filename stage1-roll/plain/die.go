package main

import (
	"fmt"
	"math/rand/v2"
)

// errDieFailed means that the die itself failed, not its caller or the service.
var errDieFailed = dieError("the die failed; roll again")

// dieError is an error with a type, so that errors can be counted by type.
type dieError string

func (e dieError) Error() string { return string(e) }

// ErrorType returns the error's type, which stays the same even if the message changes.
func (dieError) ErrorType() string { return "die_failed" }

// die is the specification of a die.
type die struct {
	identifier string
	faces      []int
	errorRate  float64 // the probability that a roll fails
}

// findDie returns the die with this identifier. Its error lists the known dice.
func findDie(identifier string) (die, error) {
	switch identifier {
	case "fair":
		return die{identifier: identifier, faces: []int{1, 2, 3, 4, 5, 6}, errorRate: 0}, nil
	case "risky":
		return die{identifier: identifier, faces: []int{2, 3, 4, 5, 6, 7}, errorRate: 0.1}, nil
	}
	return die{}, fmt.Errorf("unknown die %.40q: must be one of fair, risky", identifier)
}

// roll rolls the die once and returns one of its faces, or errDieFailed.
func (d die) roll(chance *rand.Rand) (int, error) {
	if chance.Float64() < d.errorRate {
		return 0, errDieFailed
	}
	return d.faces[chance.IntN(len(d.faces))], nil
}
