package program_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"example.com/dice/shared/program"
)

// TestMain runs a program instead of the tests if a test started this binary for that.
func TestMain(m *testing.M) {
	if run := programs[os.Getenv("TEST_PROGRAM")]; run != nil {
		program.Main("tested", run)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var programs = map[string]func(context.Context) error{
	"succeeds": func(context.Context) error { return nil },
	"fails":    func(context.Context) error { return errors.New("no die") },
	"fails twice": func(context.Context) error {
		return errors.Join(errors.New("no die"), fmt.Errorf("flushing: %w", errors.New("no\r\ncollector")))
	},
	"waits": func(ctx context.Context) error {
		fmt.Println("ready")
		<-ctx.Done()
		fmt.Println("stopping")
		return ctx.Err()
	},
	"hangs": func(ctx context.Context) error {
		fmt.Println("ready")
		<-ctx.Done()
		fmt.Println("stopping")
		select {}
	},
}

func start(t *testing.T, name string) (process *exec.Cmd, stdout *bufio.Scanner, stderr *bytes.Buffer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	process, stderr = exec.CommandContext(ctx, os.Args[0]), new(bytes.Buffer)
	process.Env, process.Stderr = append(os.Environ(), "TEST_PROGRAM="+name), stderr
	pipe, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	return process, bufio.NewScanner(pipe), stderr
}

func TestErrorIsOneLineAndExitCodeOne(t *testing.T) {
	for name, want := range map[string]struct {
		code int
		line string
	}{
		"succeeds":    {0, ""},
		"fails":       {1, "tested: no die\n"},
		"fails twice": {1, "tested: no die; flushing: no; collector\n"},
	} {
		t.Run(name, func(t *testing.T) {
			process, _, stderr := start(t, name)
			_ = process.Wait()
			if code := process.ProcessState.ExitCode(); code != want.code || stderr.String() != want.line {
				t.Errorf("exit code %d, %q, want %d, %q", code, stderr, want.code, want.line)
			}
		})
	}
}

func TestSignalCancelsTheContextAndASecondOneKills(t *testing.T) {
	for _, sent := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		process, stdout, stderr := start(t, "waits")
		signal(t, process, stdout, "ready", sent)
		if !stdout.Scan() || stdout.Text() != "stopping" {
			t.Errorf("%s: output %q", sent, stdout.Text())
		}
		_ = process.Wait()
		if code := process.ProcessState.ExitCode(); code != 1 || stderr.String() != "tested: context canceled\n" {
			t.Errorf("%s: exit code %d, %s", sent, code, stderr)
		}

		process, stdout, _ = start(t, "hangs")
		signal(t, process, stdout, "ready", sent)
		ended := make(chan error)
		go func() { ended <- process.Wait() }()
		for again := time.Tick(10 * time.Millisecond); ; { // the program may not be ready for the second signal yet
			select {
			case <-again:
				_ = process.Process.Signal(sent)
				continue
			case <-ended:
			}
			break
		}
		if status, ok := process.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != sent {
			t.Errorf("the second %s ends with %s", sent, process.ProcessState)
		}
	}
}

// signal sends a signal when the process writes a line.
func signal(t *testing.T, process *exec.Cmd, stdout *bufio.Scanner, line string, sent os.Signal) {
	t.Helper()
	if !stdout.Scan() || stdout.Text() != line {
		t.Fatalf("output %q, want %q", stdout.Text(), line)
	}
	if err := process.Process.Signal(sent); err != nil {
		t.Fatal(err)
	}
}
