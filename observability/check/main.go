// Command check reports whether code is instrumented as a stage requires. It runs the code's services with the stage's traffic and the
// real collector, and compares the telemetry that arrives with the stage's declaration.
//
//	go run ./observability/check start stage1-roll my-roll
//	go run ./observability/check stage1-roll my-roll
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"example.com/dice/observability/internal/collector"
	"example.com/dice/observability/internal/stages"
)

const usage = `usage: go run ./observability/check STAGE [DIRECTORY]
       go run ./observability/check COMMAND STAGE [DIRECTORY]
       go run ./observability/check list

Checks the code in DIRECTORY, or the stage's own, and prints the checklist up to the first missing item. The commands are:

  start     create DIRECTORY with the code that STAGE starts from
  watch     check again whenever a file is saved
  hint      print a hint about the first missing item; there are three, each more specific than the last
  solution  print the code from the lesson that adds the first missing item
  list      show your progress in each stage
`

// usageError is an error in the arguments.
type usageError string

func (e usageError) Error() string { return string(e) }

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
		if _, ok := errors.AsType[usageError](err); ok {
			fmt.Fprint(os.Stderr, "\n", usage)
		}
		os.Exit(2)
	}
}

// command is a command that takes a stage and a directory.
type command struct {
	run   func(ctx context.Context, out io.Writer, c code) error
	onOwn bool // whether it works on the stage's own code too
}

// commands are the commands by their names. The empty one checks once.
var commands = map[string]command{
	"start":    {func(_ context.Context, out io.Writer, c code) error { return start(out, c) }, false},
	"watch":    {watch, true},
	"hint":     {hint, false},
	"solution": {solution, false},
	"":         {check, true},
}

// run runs the command that the arguments name.
func run(ctx context.Context, arguments []string, out io.Writer) error {
	if i := slices.IndexFunc(arguments, func(a string) bool { return strings.HasPrefix(a, "-") }); i >= 0 {
		if slices.Contains([]string{"-h", "-help", "--help"}, arguments[i]) {
			fmt.Fprint(out, usage)
			return nil
		}
		return usageError(fmt.Sprintf("unknown flag %s: there are no flags", arguments[i]))
	}
	name := ""
	if len(arguments) > 0 {
		if _, known := commands[arguments[0]]; known || arguments[0] == "list" {
			name, arguments = arguments[0], arguments[1:]
		}
	}
	root, err := stages.Root()
	switch {
	case err != nil:
		return err
	case name == "list" && len(arguments) > 0:
		return usageError(fmt.Sprintf("list takes no arguments, but got %q", arguments))
	case name == "list":
		return list(out, root)
	}
	c, err := parse(root, name, arguments)
	if err != nil {
		return err
	}
	return commands[name].run(ctx, out, c)
}

// parse reads the arguments STAGE [DIRECTORY] of a command. Without a directory, the code is the stage's own.
func parse(root, name string, arguments []string) (code, error) {
	if len(arguments) == 0 || len(arguments) > 2 {
		return code{}, usageError(fmt.Sprintf("want a stage, and the directory of your code, but got %q", arguments))
	}
	stage, err := stages.Find(root, arguments[0])
	if err != nil {
		return code{}, usageError(err.Error())
	}
	c, err := newCode(stage, strings.Join(arguments[1:], ""))
	if err == nil && c.isStage() && !commands[name].onOwn {
		return code{}, usageError(fmt.Sprintf("%s wants the directory of your code, for example: %s", name, suggestion(stage).command(name)))
	}
	return c, err
}
