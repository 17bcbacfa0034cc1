// Command check reports whether code is instrumented as a stage requires. It runs the code's services with the stage's traffic and the
// real collector, and compares the telemetry that arrives with the stage's declaration.
//
//	go run ./observability/check -start stage1-roll my-roll
//	go run ./observability/check stage1-roll my-roll
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"example.com/dice/observability/internal/collector"
	"example.com/dice/observability/internal/stages"
)

// errNotAll is returned if an item is missing. The checklist, which has been printed by then, names it.
var errNotAll = errors.New("an item of the checklist is missing")

func main() {
	collector.RunIfChild()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, errNotAll):
		os.Exit(1)
	case err != nil && !errors.Is(err, context.Canceled): // Ctrl-C is not an error
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(2)
	}
}

// modes are the command's modes, one for each flag. The default is to check once.
type modes struct{ start, hint, solution, watch, list bool }

func run(ctx context.Context, arguments []string, out io.Writer) error {
	var m modes
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	flags.BoolVar(&m.start, "start", false, "create DIRECTORY with the code that STAGE starts from")
	flags.BoolVar(&m.hint, "hint", false, "print a hint about the first missing item; there are three, each more specific than the last")
	flags.BoolVar(&m.solution, "solution", false, "print the code from the lesson that adds the first missing item")
	flags.BoolVar(&m.watch, "watch", false, "check again whenever a file is saved")
	flags.BoolVar(&m.list, "list", false, "show your progress in each stage")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: go run ./observability/check [-start | -hint | -solution | -watch] STAGE [DIRECTORY]\n"+
			"       go run ./observability/check -list")
		flags.PrintDefaults()
	}
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	root, err := stages.Root()
	if err != nil {
		return err
	}
	if m.list {
		return list(out, root)
	}
	s, err := newSubject(root, flags.Args())
	if err != nil {
		return err
	}
	switch {
	case m.start:
		return start(out, s)
	case m.hint:
		return hint(ctx, out, s)
	case m.solution:
		return solution(ctx, out, s)
	case m.watch:
		return watch(ctx, out, s)
	default:
		return check(ctx, out, s)
	}
}

// newSubject reads the arguments STAGE [DIRECTORY]. Without a directory, the stage itself is checked.
func newSubject(root string, arguments []string) (subject, error) {
	if len(arguments) > 2 {
		return subject{}, fmt.Errorf("want one stage, and optionally the directory of your code, but got %q", arguments)
	}
	stage, err := stages.Find(root, strings.Join(arguments[:min(1, len(arguments))], ""))
	if err != nil {
		return subject{}, err
	}
	if len(arguments) < 2 {
		return subject{stage, stage.Directory}, nil
	}
	return subject{stage, filepath.Clean(arguments[1])}, nil
}

// command returns the command line that runs this program for the same stage and directory.
func (s subject) command(flag string) string {
	line := "go run ./observability/check " + flag + " " + s.stage.Name
	if !s.isStage() {
		line += " " + s.directory
	}
	return strings.ReplaceAll(line, "  ", " ")
}

// isStage reports whether the directory is the stage's own.
func (s subject) isStage() bool { return s.directory == s.stage.Directory }

// check runs the code once, prints the checklist, and saves the result.
func check(ctx context.Context, out io.Writer, s subject) error {
	result, err := s.evaluate(ctx)
	if err != nil {
		return err
	}
	result.print(out, s)
	if err := remember(s, result); err != nil {
		return err
	}
	if result.missing() != nil {
		return errNotAll
	}
	return nil
}
