package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"

	"example.com/dice/observability/check/incident"
)

// play plays an incident of the stage that the arguments name, and saves it as solved if every question was answered right at the
// first try. A second argument names the incident. Without one, play chooses one that is not solved yet, or any if all are.
func play(ctx context.Context, out io.Writer, root string, arguments []string, docker bool) error {
	s, err := newSubject(root, arguments)
	if err != nil {
		return err
	}
	p, err := readProgress(root)
	if err != nil {
		return err
	}
	options := incident.Options{Root: root, Stage: s.stage.Name, Seed: rand.Uint64(), Docker: docker, In: os.Stdin, Out: out}
	if len(arguments) == 2 {
		options.Name = arguments[1]
	} else if options.Name, err = p.unsolved(s.stage.Name); err != nil {
		return err
	}
	result, err := incident.Run(ctx, options)
	if err != nil || ctx.Err() != nil || result.Right < result.Questions {
		return err
	}
	if p, err = readProgress(root); err != nil { // it may have changed in the meantime
		return err
	}
	if !slices.Contains(p.Incidents[s.stage.Name], result.Name) {
		p.Incidents[s.stage.Name] = append(p.Incidents[s.stage.Name], result.Name)
	}
	fmt.Fprintln(out, "You found the fault at the first try.")
	return p.write(root)
}

// unsolved returns a random incident of a stage that is not solved yet, or "" if all are.
func (p progress) unsolved(stage string) (string, error) {
	names, err := incident.Names(stage)
	if err != nil {
		return "", err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(p.Incidents[stage], name) })
	if len(names) == 0 {
		return "", nil
	}
	return names[rand.IntN(len(names))], nil
}
