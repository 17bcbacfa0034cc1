package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// die is a specification, both in the file and in responses.
type die struct {
	Faces     []int    `json:"faces"`
	ErrorRate *float64 `json:"error_rate"` // the probability that a roll fails
}

// dice holds specifications by identifier, and the identifiers in the order of the file.
type dice struct {
	identifiers []string
	byID        map[string]die
}

// readDice reads a JSON file of dice. Its error names the die and the field that are wrong.
func readDice(file string) (dice, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return dice{}, err
	}
	if err := json.Unmarshal(content, &map[string]json.RawMessage{}); err != nil {
		return dice{}, fmt.Errorf("want one object with a die for each name: %w", err)
	}
	all := dice{byID: make(map[string]die)}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	_, _ = decoder.Token() // the opening brace; the check above found an object
	for decoder.More() {
		name, _ := decoder.Token()
		identifier := name.(string)
		var d die
		err := decoder.Decode(&d)
		if err == nil {
			err = d.check()
		}
		if _, twice := all.byID[identifier]; twice || identifier == "" {
			err = errors.New("the name must be unique and not empty")
		}
		if err != nil {
			return dice{}, fmt.Errorf("die %q: %w", identifier, err)
		}
		all.byID[identifier] = d
		all.identifiers = append(all.identifiers, identifier)
	}
	if len(all.identifiers) == 0 {
		return dice{}, errors.New("contains no dice")
	}
	return all, nil
}

func (d die) check() error {
	switch {
	case len(d.Faces) != 6:
		return fmt.Errorf("faces: has %d, must have 6", len(d.Faces))
	case d.ErrorRate == nil:
		return errors.New("error_rate: missing, must be from 0 to 1")
	case *d.ErrorRate < 0 || *d.ErrorRate > 1:
		return fmt.Errorf("error_rate: is %g, must be from 0 to 1", *d.ErrorRate)
	}
	return nil
}
