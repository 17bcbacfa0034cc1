// Package incident plays incidents: it starts a stage with a fault, asks what is wrong, and explains how to find the fault.
package incident

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"

	"example.com/dice/observability/internal/report"
	"example.com/dice/observability/internal/store"
)

// Options say which incident to play, and how.
type Options struct {
	Root   string // of the repository
	Stage  string // such as stage1-roll
	Name   string // of the fault; a random one if empty
	Seed   uint64 // for the choice of the fault and the order of the answers; random if 0
	Docker bool   // run the stage with Docker, for use with Grafana
	In     io.Reader
	Out    io.Writer
}

// Result is the outcome of an incident.
type Result struct {
	Name      string // of the fault
	Right     int    // questions answered right at the first try
	Questions int
}

// Run plays one incident of a stage: it starts the stage with a fault, asks the questions, explains the fault, and removes it.
// The incident ends early when ctx or the input ends, which is not an error.
func Run(ctx context.Context, options Options) (Result, error) { return run(ctx, options, record) }

// recorder runs a stage with a fault and without Docker, and returns what the stage emitted.
type recorder func(ctx context.Context, root string, f fault, settings []string, progress func(doing string)) (*store.Store, error)

func run(ctx context.Context, options Options, record recorder) (Result, error) {
	chance := rand.New(rand.NewPCG(cmp.Or(options.Seed, rand.Uint64()), 0))
	f, err := choose(options, chance)
	if err != nil {
		return Result{}, err
	}
	g := game{fault: f, chance: chance, out: options.Out, answers: readLines(ctx, options.In)}
	result := Result{Name: f.Name, Questions: len(f.Questions)}
	fmt.Fprintf(g.out, "%s has a fault.\n\n%s\n\n%s\n\n", report.Bold.Render(f.Stage), wrap(f.Symptom, ""), options.whatFollows())
	play := func() (err error) {
		result.Right, err = g.play(ctx)
		return err
	}
	if options.Docker {
		err = withDocker(ctx, options.Root, f, g.out, play)
	} else {
		err = withReport(ctx, options.Root, f, g.out, record, play)
	}
	return result, err
}

// unlessEnded returns an error, or nil if the player has ended the incident.
func unlessEnded(ctx context.Context, err error) error {
	if ended := errors.Is(err, io.EOF) || ctx.Err() != nil; !ended {
		return err
	}
	return nil
}

func (o Options) whatFollows() string {
	if o.Docker {
		return "Docker starts the stage. Find the fault in Grafana, and answer three questions here."
	}
	return "The stage runs for about 15 seconds. Read the report, and answer three questions."
}

// choose returns the fault that options name, or a random one.
func choose(options Options, chance *rand.Rand) (fault, error) {
	names, err := Names(options.Stage)
	if err != nil {
		return fault{}, err
	}
	name := options.Name
	if name == "" {
		name = names[chance.IntN(len(names))]
	}
	if !slices.Contains(names, name) {
		return fault{}, fmt.Errorf("%s has no incident %q: choose one of %s", options.Stage, name, strings.Join(names, ", "))
	}
	return load(options.Root, options.Stage, name)
}

// readLines returns the lines of in. The channel is closed when in or ctx has ended.
func readLines(ctx context.Context, in io.Reader) <-chan string {
	lines := make(chan string)
	go func() { // a read from a terminal cannot be canceled: without further input, this ends with the program
		defer close(lines)
		for scanner := bufio.NewScanner(in); scanner.Scan(); {
			select {
			case lines <- scanner.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}
