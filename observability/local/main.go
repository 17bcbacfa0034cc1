// Command local runs a stage without Docker: its services and traffic as processes, the real collector, and a
// report on the terminal instead of Tempo, Prometheus and Loki.
//
//	go run ./observability/local stage1-roll
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
	"time"

	"example.com/dice/observability/internal/collector"
	"example.com/dice/observability/internal/compose"
	show "example.com/dice/observability/internal/report"
	"example.com/dice/observability/internal/runner"
	"example.com/dice/observability/internal/stages"
)

const (
	settled       = 3 * time.Second  // without new spans or log records; longer than services buffer them
	settleTimeout = 20 * time.Second // for all telemetry of the traffic to arrive
)

func main() {
	collector.RunIfChild()
	// Closing the terminal or the pipe must not leave the stage's processes behind.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "local:", err)
		os.Exit(1)
	}
}

// run runs the stage that arguments name. It returns nil if ctx is canceled by Ctrl-C.
func run(ctx context.Context, arguments []string, out io.Writer) error {
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	once := flags.Bool("once", false, "exit after the report")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: go run ./observability/local [-once] STAGE")
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
	stage, err := stages.FindOne(root, flags.Args())
	if err != nil {
		return err
	}
	// Half a minute of traffic is enough, because there are no panels to fill.
	loaded, err := compose.Load(ctx, root, stage.Name, compose.Settings{Default: []string{"MAX_ROLLS_PER_USER=60"}})
	if err != nil {
		return err
	}
	return runStage(ctx, loaded, *once, out)
}

// runStage runs the stage until ctx is canceled, which is not an error. If once is set, it returns after the report.
func runStage(ctx context.Context, s *compose.Stage, once bool, out io.Writer) (err error) {
	running, err := runner.Start(ctx, s, func(doing string) { fmt.Fprintln(out, show.Faint.Render("· "+doing)) })
	if ctx.Err() != nil && running == nil {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, running.Stop()) }()

	fmt.Fprintln(out, show.Faint.Render("· traffic"))
	progress := newProgress(out)
	err = withFirst(ctx, running.Store, progress, func() error { return running.Traffic(ctx, progress) })
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	settling, cancel := context.WithTimeout(ctx, settleTimeout)
	running.Store.WaitUntilQuiet(settling, settled)
	cancel()
	fmt.Fprint(out, report(running.Store))
	if once {
		return nil
	}
	fmt.Fprint(out, invitation(s))
	watch(ctx, running.Store, out)
	return nil
}
