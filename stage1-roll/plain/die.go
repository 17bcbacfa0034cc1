package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
)

// errDieFailed is the failure of a die itself, not of its caller or of the service.
var errDieFailed = errors.New("the die failed; roll again")

// die is what there is to know of a die.
type die struct {
	identifier string
	faces      []int
	errorRate  float64 // the probability that a roll fails
}

func allDice() []die {
	return []die{
		{identifier: "fair", faces: []int{1, 2, 3, 4, 5, 6}, errorRate: 0},
		{identifier: "risky", faces: []int{2, 3, 4, 5, 6, 7}, errorRate: 0.1},
	}
}

// findDie returns the die with this identifier. Its error says which there are.
func findDie(identifier string) (die, error) {
	var identifiers []string
	for _, d := range allDice() {
		if d.identifier == identifier {
			return d, nil
		}
		identifiers = append(identifiers, d.identifier)
	}
	return die{}, fmt.Errorf("unknown die %.40q: must be one of %s", identifier, strings.Join(identifiers, ", "))
}

// roll rolls the die once and returns one of its faces, or errDieFailed.
func (d die) roll(chance *rand.Rand) (int, error) {
	if chance.Float64() < d.errorRate {
		return 0, errDieFailed
	}
	return d.faces[chance.IntN(len(d.faces))], nil
}
