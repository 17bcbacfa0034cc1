// Package process starts child processes that end with this one, and asks them to stop, on every system.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"
)

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 15 * time.Second // as in compose.yaml: 10 s to finish requests, 3 s to flush telemetry
)

// EnvironmentError is a failure that is not the program's: it cannot be executed, or something else has killed it.
type EnvironmentError struct{ error }

// Unwrap returns the error itself.
func (e EnvironmentError) Unwrap() error { return e.error }

// Process is a child process. Its standard input is a pipe, and the process ends when this end of the pipe is closed, which the system does
// if this program dies.
type Process struct {
	Name    string
	command *exec.Cmd
	alive   io.Closer     // this end of the pipe
	done    chan struct{} // closed when the process has exited
	err     error         // valid when done is closed
	output  output
}

// Start starts a command. Its standard output also goes to lines, unless that is nil. The process runs below a supervisor, which is this
// program again, so main must call [RunIfChild] first.
func Start(name string, command *exec.Cmd, lines io.Writer) (*Process, error) {
	supervisor, err := Self()
	if err != nil {
		return nil, err
	}
	supervisor.Args = slices.Concat(supervisor.Args, []string{command.Path}, command.Args[1:])
	supervisor.Dir, supervisor.Env = command.Dir, append(command.Environ(), supervised+"=true")
	return StartSelf(name, supervisor, lines)
}

// Self returns a command that runs this program again, for [StartSelf].
func Self() (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	return exec.CommandContext(context.Background(), self), nil // without a context that would kill it before it can flush
}

// StartSelf is [Start] for a command that runs this program without a supervisor. The process must end when the context of [WithParent] does.
func StartSelf(name string, command *exec.Cmd, lines io.Writer) (*Process, error) {
	p := &Process{Name: name, command: command, done: make(chan struct{})}
	command.Stdout = &p.output
	if lines != nil {
		command.Stdout = io.MultiWriter(&p.output, lines)
	}
	command.Stderr = &p.output
	command.WaitDelay = time.Second
	separate(command)
	var err error
	if p.alive, err = command.StdinPipe(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		p.err = command.Wait()
		close(p.done)
	}()
	return p, nil
}

// Done returns a channel that is closed when the process has exited.
func (p *Process) Done() <-chan struct{} { return p.done }

// WaitUntil polls ready until it returns nil. It fails if the process exits first.
func (p *Process) WaitUntil(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return p.Failure()
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w", p.Name, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Failed reports whether a process that has exited did so with a status other than 0.
func (p *Process) Failed() bool { return p.err != nil }

// Failure returns the error of a process that exited too early, with the line of its output that says why. The error is
// an [EnvironmentError] if the program is not to blame. Failure waits until the process has exited.
func (p *Process) Failure() error {
	<-p.done
	reason := p.output.reason()
	code := p.command.ProcessState.ExitCode()
	switch {
	case p.err == nil:
		return fmt.Errorf("%s exited: %s", p.Name, reason)
	case code == notStarted:
		return EnvironmentError{fmt.Errorf("starting %s: %s", p.Name, reason)}
	case code < 0: // SIGKILL, the only signal that supervisors pass on
		return EnvironmentError{fmt.Errorf("%s was killed by another program, or because memory ran out", p.Name)}
	}
	return fmt.Errorf("%s exited: %w: %s", p.Name, p.err, reason)
}

// Output returns the last 16 KiB of the output, and the beginning of a panic that is longer than that.
func (p *Process) Output() string { return p.output.String() }

// Stop asks the process to stop, waits until it has, and kills it if it takes too long.
func (p *Process) Stop() error {
	_ = p.alive.Close() // fails only if the process has ended
	select {
	case <-p.done:
	case <-time.After(stopTimeout + startTimeout): // the supervisor kills the program after stopTimeout
		err := p.command.Process.Kill()
		<-p.done // returns after WaitDelay at the latest
		return errors.Join(fmt.Errorf("%s did not stop", p.Name), err)
	}
	if p.err != nil {
		return fmt.Errorf("stopping %s: %w: %s", p.Name, p.err, p.output.reason())
	}
	return nil
}
