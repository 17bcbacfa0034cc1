package runner

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 15 * time.Second // as in compose.yaml: 10 s to finish requests, 3 s to flush telemetry
)

// process is a child process that can be stopped and reports how it exited.
type process struct {
	name    string
	command *exec.Cmd
	done    chan struct{} // closed when the process has exited
	err     error         // valid when done is closed
	output  tail
}

// newCommand returns a command with these variables. It has no context, which would kill it before it can flush.
func newCommand(program string, variables ...string) *exec.Cmd {
	command := exec.CommandContext(context.Background(), program)
	command.Env = append(inherited(), variables...)
	return command
}

// startProcess starts a command. Its standard output also goes to lines, unless that is nil.
func startProcess(name string, command *exec.Cmd, lines io.Writer) (*process, error) {
	p := &process{name: name, command: command, done: make(chan struct{})}
	command.Stdout = &p.output
	if lines != nil {
		command.Stdout = io.MultiWriter(&p.output, lines)
	}
	command.Stderr = &p.output
	command.WaitDelay = time.Second
	separate(command)
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		p.err = command.Wait()
		close(p.done)
	}()
	return p, nil
}

// waitUntil polls ready until it returns nil. It fails if the process exits first.
func (p *process) waitUntil(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return p.failure()
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w", p.name, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// failure returns the error of a process that exited too early, with the last line of its output.
func (p *process) failure() error {
	if p.err == nil {
		return fmt.Errorf("%s exited: %s", p.name, p.output.last())
	}
	return fmt.Errorf("%s exited: %w: %s", p.name, p.err, p.output.last())
}

// stop asks the process to stop, waits until it has, and kills it if it takes too long.
func (p *process) stop() error {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return errors.Join(fmt.Errorf("stopping %s: %w", p.name, err), p.kill())
	}
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		return errors.Join(fmt.Errorf("%s did not stop within %s", p.name, stopTimeout), p.kill())
	}
	if p.err != nil {
		return fmt.Errorf("stopping %s: %w: %s", p.name, p.err, p.output.last())
	}
	return nil
}

func (p *process) kill() error {
	err := p.command.Process.Kill()
	<-p.done // returns after WaitDelay at the latest
	return err
}

// tail keeps the end of a process's output.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	const most = 16 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if len(t.buf) > most {
		t.buf = bytes.Clone(t.buf[len(t.buf)-most:])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}

// last returns the last nonempty line.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := "no output"
	for scanner := bufio.NewScanner(bytes.NewReader(t.buf)); scanner.Scan(); {
		if text := strings.TrimSpace(scanner.Text()); text != "" {
			line = text
		}
	}
	return line
}
