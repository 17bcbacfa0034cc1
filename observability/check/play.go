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

// play plays an incident of the stage that the arguments name, and remembers it if every question was answered right at the first
// try. A second argument names the incident; without one it is an incident that was not solved yet, or any.
func play(ctx context.Context, out io.Writer, root string, arguments []string, docker bool) error {
	s, err := newSubject(root, arguments)
	if err != nil {
		return err
	}
	p, err := readProgress(root)
	if err != nil {
		return err
	}
	options := incident.Options{Root: root, Stage: s.stage, Seed: rand.Uint64(), Docker: docker, In: os.Stdin, Out: out}
	if len(arguments) == 2 {
		options.Name = arguments[1]
	} else if options.Name, err = p.unsolved(s.stage); err != nil {
		return err
	}
	result, err := incident.Run(ctx, options)
	if err != nil || ctx.Err() != nil || result.Right < result.Questions {
		return err
	}
	if p, err = readProgress(root); err != nil { // it may have changed meanwhile
		return err
	}
	if !slices.Contains(p.Incidents[s.stage], result.Name) {
		p.Incidents[s.stage] = append(p.Incidents[s.stage], result.Name)
	}
	fmt.Fprintln(out, "You found it at the first try.")
	return p.write(root)
}

// unsolved returns one of the incidents of a stage that are not solved yet, by chance, or "" if all are.
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
