package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// supervised is the environment variable that makes a process supervise the command in its arguments.
const supervised = "DICE_SUPERVISED"

// notStarted is the exit status of a supervisor that cannot execute the program, as that of shells.
const notStarted = 126

// RunIfChild supervises a program and exits, if this process was started by [Start]. Call it first in main.
func RunIfChild() {
	if os.Getenv(supervised) != "" {
		os.Exit(supervise(os.Args[1:]))
	}
}

// WithParent returns a context that is canceled when the parent, which started this process with [StartSelf], asks for it or has ended.
func WithParent(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // ends when the other end of the pipe is closed
		cancel()
	}()
	return ctx
}

// supervise runs a command until it exits, and returns its exit status. If the parent ends or a signal arrives, it asks the command to stop.
func supervise(arguments []string) int {
	ctx, stop := signal.NotifyContext(WithParent(context.Background()), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	command := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
	command.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(variable, supervised+"=") })
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.Cancel = func() error { return terminate(command.Process) }
	command.WaitDelay = stopTimeout // then it is killed
	runtime.LockOSThread()          // because tie is about the thread
	tie(command)
	if err := command.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return notStarted
	}
	_ = command.Wait() // the state has more than the error
	killed := command.ProcessState.String() == "signal: killed"
	if killed && ctx.Err() != nil {
		fmt.Fprintf(os.Stderr, "%s did not stop within %s\n", filepath.Base(arguments[0]), stopTimeout)
		return 1
	}
	if code := command.ProcessState.ExitCode(); code >= 0 {
		return code
	}
	return dieLike(command.ProcessState)
}
