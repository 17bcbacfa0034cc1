// Command incident runs a stage with a hidden fault, asks three questions about it, and explains how to find it from the telemetry.
//
//	go run ./observability/incident stage1-roll
//	go run ./observability/incident -docker stage1-roll
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"example.com/dice/observability/internal/collector"
	"example.com/dice/observability/internal/stages"
)

func main() {
	collector.RunIfChild()
	// Closing the terminal or the pipe must not leave the fault or the stage's processes behind.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "incident:", err)
		os.Exit(1)
	}
}

// run plays the incident that arguments ask for. It returns nil if ctx is canceled by Ctrl-C.
func run(ctx context.Context, arguments []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("incident", flag.ContinueOnError)
	flags.SetOutput(out)
	docker := flags.Bool("docker", false, "run the stage with Docker, to find the fault in Grafana")
	flags.Usage = func() {
		fmt.Fprintln(out, "usage: go run ./observability/incident [-docker] STAGE [NAME]\n\n"+
			"NAME is the name of an incident that you have played. Without it, the incident is one that you have not solved yet.")
		flags.PrintDefaults()
	}
	words, err := parse(flags, arguments)
	if err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	root, err := stages.Root()
	if err != nil {
		return err
	}
	stage, err := stages.Find(root, words[0])
	if err != nil {
		return err
	}
	return play(ctx, options{root: root, stage: stage.Name, name: words[1], docker: *docker, in: in, out: out}, record)
}

// parse returns the stage and the name of the incident, which are empty if they are missing. Flags may stand anywhere.
func parse(flags *flag.FlagSet, arguments []string) (words [2]string, err error) {
	for i := 0; ; i++ {
		if err := flags.Parse(arguments); err != nil {
			return words, err
		}
		if flags.NArg() == 0 {
			return words, nil
		}
		if i == len(words) {
			return words, fmt.Errorf("want a stage and at most one name of an incident, but got %q too", flags.Args())
		}
		words[i], arguments = flags.Arg(0), flags.Args()[1:]
	}
}
