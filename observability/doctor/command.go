package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/term"

	"example.com/dice/observability/internal/doctor"
	"example.com/dice/observability/internal/otlp"
)

// patience is how long COMMAND may take to end after an interrupt: as long as Kubernetes gives it, and more than a flush takes.
const patience = 30 * time.Second

// variables are set for COMMAND unless the user has set them. Intervals are shorter, so that findings are shown sooner, and the
// SDK for Go reports what it drops.
var variables = []string{
	"OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
	"OTEL_TRACES_EXPORTER=otlp",
	"OTEL_METRICS_EXPORTER=otlp",
	"OTEL_LOGS_EXPORTER=otlp",
	"OTEL_METRIC_EXPORT_INTERVAL=1100", // no export coincides with the end of -for 30s
	"OTEL_BSP_SCHEDULE_DELAY=500",
	"OTEL_BLRP_SCHEDULE_DELAY=500",
	"OTEL_GO_X_OBSERVABILITY=true",
}

const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"

// exitError says that COMMAND failed by itself. There is a verdict on what it sent before.
type exitError struct{ error }

// runCommand runs COMMAND and judges what it sends until it ends.
func runCommand(interrupts <-chan os.Signal, o options, news, errs io.Writer) (doctor.Report, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	judge := doctor.New(doctor.Command)
	r, own, err := receiveCommand(ctx, judge, news)
	if err != nil {
		return doctor.Report{}, err
	}
	defer r.close()

	command := newCommand(ctx, o.command, own.Address())
	command.Stdout, command.Stderr = news, errs
	if set := os.Getenv(endpoint); set != "" {
		fmt.Fprintf(news, "· %s is already set to %s and is left as it is: telemetry sent elsewhere isn't seen here\n", endpoint, set)
	} else {
		fmt.Fprintf(news, "· running %s with %s=http://%s\n", strings.Join(o.command, " "), endpoint, own.Address())
	}
	if err := command.Start(); err != nil {
		return doctor.Report{}, fmt.Errorf("running COMMAND: %w", err)
	}
	ended := make(chan struct{})
	var failure error
	go func() {
		defer close(ended)
		failure = command.Wait()
	}()
	interrupted := make(chan bool, 1)
	go func() { interrupted <- interrupt(command, judge, interrupts, ended, o.duration, news) }()
	watch(judge, ended, news, o.json)
	if stopped := <-interrupted; failure != nil && !stopped {
		return judge.Finish(), exitError{fmt.Errorf("%s failed, so the verdict may be incomplete: %w", o.command[0], failure)}
	}
	return judge.Finish(), nil
}

// receiveCommand listens on a free port of its own, which takes both protocols, and on the ports of a collector for programs that
// have them in their code.
func receiveCommand(ctx context.Context, sink otlp.Sink, news io.Writer) (receivers, *otlp.Server, error) {
	own, err := otlp.Listen(ctx, "127.0.0.1:0", otlp.Either, "", sink)
	if err != nil {
		return receivers{}, nil, err
	}
	r := receivers{[]*otlp.Server{own}}
	for i, want := range usual {
		server, err := listenOn(ctx, i, sink)
		if err != nil {
			fmt.Fprintf(news, "· port %s (%s) is not available: telemetry that COMMAND sends there isn't seen here\n", portOf(i), want.name)
			continue
		}
		r.servers = append(r.servers, server)
	}
	return r, own, nil
}

func newCommand(ctx context.Context, arguments []string, address string) *exec.Cmd {
	command := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
	command.Env = os.Environ()
	for _, variable := range append(variables, endpoint+"=http://"+address) {
		if name, _, _ := strings.Cut(variable, "="); os.Getenv(name) == "" {
			command.Env = append(command.Env, variable)
		}
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		command.Stdin = os.Stdin
	}
	command.WaitDelay = time.Second
	separate(command)
	return command
}

// interrupt asks COMMAND to end at an interrupt or after a time, and kills it at the next interrupt or if it takes too long. It
// returns when COMMAND has ended, and reports whether it was asked to.
func interrupt(command *exec.Cmd, judge *doctor.Judge, interrupts <-chan os.Signal, ended <-chan struct{}, duration time.Duration, news io.Writer) bool {
	due := make(chan struct{})
	go func() {
		defer close(due)
		wait(interrupts, duration)
	}()
	select {
	case <-ended:
		return false
	case <-due:
	}
	fmt.Fprintf(news, "· asking %s to stop; press Ctrl-C to kill it\n", command.Args[0])
	judge.Stopping(time.Now())
	err := ask(command.Process)
	if err == nil {
		select {
		case <-ended:
			return true
		case <-interrupts:
			fmt.Fprintf(news, "· killing %s: telemetry that it has not sent is lost\n", command.Args[0])
		case <-time.After(patience):
			fmt.Fprintf(news, "· %s did not stop within %s: killing it\n", command.Args[0], patience)
		}
	}
	judge.Stopping(time.Time{})
	if err := kill(command.Process); err != nil && !errors.Is(err, os.ErrProcessDone) {
		fmt.Fprintf(news, "· killing %s: %v\n", command.Args[0], err)
	}
	<-ended
	return true
}
