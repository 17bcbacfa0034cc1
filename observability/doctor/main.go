// Command doctor judges the telemetry of any service: what loses, falsifies or leaks data, what misleads, how to fix it, and
// the Instrumentation Score. It receives OTLP in place of a collector, or reads a file.
//
//	go run ./observability/doctor
//	go run ./observability/doctor -- ./my-service -x
//	go run ./observability/doctor -file telemetry.jsonl
//	go run ./observability/doctor -for 30s -fail-on warning -json
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"example.com/dice/observability/internal/doctor"
	"example.com/dice/observability/internal/otlp"
)

// Exit statuses.
const (
	healthy = iota
	sick    // a finding reaches -fail-on
	broken  // there is no verdict, or COMMAND failed
)

func main() {
	interrupts := make(chan os.Signal, 2)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	os.Exit(run(interrupts, os.Args[1:], os.Stdout, os.Stderr))
}

// options are what the user wants.
type options struct {
	file     string
	duration time.Duration // 0 is until Ctrl-C, or until COMMAND ends
	failOn   doctor.Severity
	json     bool
	command  []string
}

// run returns the exit status. An interrupt ends the run with a verdict, a second one without waiting for COMMAND.
func run(interrupts <-chan os.Signal, arguments []string, out, errs io.Writer) int {
	o, err := readOptions(arguments, errs)
	if errors.Is(err, flag.ErrHelp) {
		return healthy
	}
	var verdict doctor.Report
	if err == nil {
		verdict, err = examine(interrupts, o, out, errs)
	}
	if err != nil {
		fmt.Fprintln(errs, "doctor:", err)
		if _, judged := errors.AsType[exitError](err); !judged {
			return broken
		}
	}
	if o.json {
		if err := writeJSON(out, verdict, o.failOn); err != nil {
			fmt.Fprintln(errs, "doctor:", err)
			return broken
		}
	} else {
		fmt.Fprint(out, text(verdict))
	}
	switch {
	case err != nil:
		return broken
	case fails(verdict, o.failOn):
		return sick
	default:
		return healthy
	}
}

func readOptions(arguments []string, help io.Writer) (options, error) {
	o := options{failOn: doctor.Error}
	flags := flag.NewFlagSet("doctor", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error says it in one line
	flags.StringVar(&o.file, "file", "", "read the `FILE` that a collector's file exporter wrote, or standard input if it is -")
	flags.Func("for", "stop after `DURATION`, such as 30s, and not only at Ctrl-C or when COMMAND ends", o.setDuration)
	flags.Func("fail-on", "exit with status 1 if a finding has this `SEVERITY` or a worse one: error (the default), warning or note", o.setFailOn)
	flags.BoolVar(&o.json, "json", false, "write the verdict as JSON, and nothing else, to standard output")
	err := flags.Parse(arguments)
	o.command = flags.Args()
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(help, "usage: doctor [-for DURATION] [-fail-on SEVERITY] [-json] [-file FILE | -- COMMAND ARGUMENTS]")
		flags.SetOutput(help)
		flags.PrintDefaults()
		return o, err
	case err != nil:
		return o, fmt.Errorf("%w; doctor -h lists the options", err)
	case o.file != "" && (len(o.command) > 0 || o.duration > 0):
		return o, errors.New("-file excludes -for and COMMAND")
	case len(o.command) == 0 && len(arguments) > 0 && arguments[len(arguments)-1] == "--":
		return o, errors.New("there is no COMMAND after --")
	}
	return o, nil
}

func (o *options) setDuration(text string) error {
	duration, err := time.ParseDuration(text)
	if err != nil || duration <= 0 {
		return errors.New("want a duration above 0, such as 30s or 2m")
	}
	o.duration = duration
	return nil
}

func (o *options) setFailOn(text string) error {
	o.failOn = doctor.Severity(text)
	if !slices.Contains(doctor.Severities, o.failOn) {
		return errors.New("want error, warning or note")
	}
	return nil
}

// fails reports whether a finding is as bad as that, or worse.
func fails(r doctor.Report, severity doctor.Severity) bool {
	worst := slices.Index(doctor.Severities, r.Worst())
	return worst >= 0 && worst <= slices.Index(doctor.Severities, severity)
}

// examine returns the verdict. Its error is an exitError if there is a verdict all the same.
func examine(interrupts <-chan os.Signal, o options, out, errs io.Writer) (doctor.Report, error) {
	if o.file != "" {
		return readFile(o.file)
	}
	news := out
	if o.json {
		news = errs
	}
	if len(o.command) > 0 {
		return runCommand(interrupts, o, news, errs)
	}
	return listen(interrupts, o, news)
}

func readFile(name string) (doctor.Report, error) {
	file := os.Stdin
	if name != "-" {
		var err error
		if file, err = os.Open(name); err != nil {
			return doctor.Report{}, fmt.Errorf("reading telemetry: %w", err)
		}
		defer file.Close()
	}
	judge := doctor.New(doctor.File)
	if err := otlp.Read(file, judge); err != nil {
		return doctor.Report{}, fmt.Errorf("reading %s: %w", name, err)
	}
	return judge.Finish(), nil
}

// listen judges what services send until an interrupt, or for a time.
func listen(interrupts <-chan os.Signal, o options, news io.Writer) (doctor.Report, error) {
	judge := doctor.New(doctor.Services)
	ctx := context.Background()
	r, err := receive(ctx, judge)
	if err != nil {
		return doctor.Report{}, err
	}
	defer r.close()
	fmt.Fprintf(news, "· listening for OTLP over gRPC on %s, and over HTTP on %s\n", r.servers[0].Address(), r.servers[1].Address())
	fmt.Fprintf(news, "· start your service with OTEL_EXPORTER_OTLP_ENDPOINT=http://%s OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n", r.servers[1].Address())
	if o.duration == 0 {
		fmt.Fprintln(news, "· Ctrl-C ends with the verdict")
	}
	end := make(chan struct{})
	go func() {
		defer close(end)
		wait(interrupts, o.duration)
	}()
	watch(judge, end, news, o.json)
	return judge.Finish(), nil
}

// wait returns at an interrupt, or after a time unless that is 0.
func wait(interrupts <-chan os.Signal, duration time.Duration) {
	var over <-chan time.Time
	if duration > 0 {
		over = time.After(duration)
	}
	select {
	case <-interrupts:
	case <-over:
	}
}
