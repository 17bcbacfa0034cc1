package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"example.com/dice/observability/internal/incidents"
	"example.com/dice/observability/internal/progress"
	"example.com/dice/observability/internal/report"
)

// options say which incident to play, and how.
type options struct {
	root   string // of the repository
	stage  string // such as stage1-roll
	name   string // of the fault; if empty, one that is not solved yet
	seed   uint64 // for the choice of the fault and the order of the answers; random if 0
	docker bool   // run the stage with Docker, for use with Grafana
	in     io.Reader
	out    io.Writer
}

// play plays one incident of a stage: it starts the stage with a fault, asks the questions, explains the fault, and removes it. It
// saves the incident as solved if each question was answered right at the first try. The incident ends early when ctx or the input
// ends, which is not an error.
func play(ctx context.Context, o options, record recorder) error {
	p, err := progress.Read(o.root)
	if err != nil {
		return err
	}
	chance := rand.New(rand.NewPCG(cmp.Or(o.seed, rand.Uint64()), 0))
	f, err := choose(o, p.Incidents[o.stage], chance)
	if err != nil {
		return err
	}
	g := game{fault: f, chance: chance, out: o.out, answers: readLines(ctx, o.in)}
	fmt.Fprintf(g.out, "%s has a fault.\n\n%s\n\n%s\n\n", report.Bold.Render(f.Stage), wrap(f.Symptom, ""), o.whatFollows())
	right := 0
	ask := func() (err error) {
		right, err = g.askAll(ctx)
		return err
	}
	if o.docker {
		err = withDocker(ctx, o.root, f, g.out, ask)
	} else {
		err = withReport(ctx, o.root, f, g.out, record, ask)
	}
	if err != nil || right < len(f.Questions) {
		return err
	}
	return o.solved(f)
}

// solved saves that the player answered all questions about a fault right at the first try.
func (o options) solved(f fault) error {
	p, err := progress.Read(o.root) // again, because a check may have saved its result meanwhile
	if err != nil {
		return err
	}
	if !slices.Contains(p.Incidents[f.Stage], f.Name) {
		p.Incidents[f.Stage] = append(p.Incidents[f.Stage], f.Name)
	}
	fmt.Fprintln(o.out, "You found the fault at the first try.")
	return p.Write(o.root)
}

func (o options) whatFollows() string {
	if o.docker {
		return "Docker starts the stage. Find the fault in Grafana, and answer three questions here."
	}
	text := "The stage runs for about 15 seconds. Read the report, and answer three questions."
	if width := terminalWidth(o.out); 0 < width && width < columns {
		text += fmt.Sprintf("\nIts tables need %d columns, and your terminal has %d: widen it now.", columns, width)
	}
	return text
}

// terminalWidth returns the number of columns of a terminal, or 0 if out is not one.
func terminalWidth(out io.Writer) int {
	file, ok := out.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// choose returns the fault that o names. Without a name, it is a random one of those not solved yet, or of all if none is left.
func choose(o options, solved []string, chance *rand.Rand) (fault, error) {
	names, err := incidents.Names(o.root, o.stage)
	if err != nil {
		return fault{}, err
	}
	if len(names) == 0 {
		return fault{}, fmt.Errorf("there are no incidents of %s", o.stage)
	}
	if o.name != "" {
		if !slices.Contains(names, o.name) {
			return fault{}, fmt.Errorf("%s has no incident %q: choose one of %s", o.stage, o.name, strings.Join(names, ", "))
		}
		return load(o.root, o.stage, o.name)
	}
	left := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(solved, name) })
	if len(left) == 0 {
		left = names
	}
	return load(o.root, o.stage, left[chance.IntN(len(left))])
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
