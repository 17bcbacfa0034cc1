package stage

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

// stopTimeout is how long a process may take to stop: 10 s for requests and 3 s for telemetry, as in compose.yaml.
const stopTimeout = 15 * time.Second

// process is a child process that can be stopped, and says why it ended.
type process struct {
	name    string
	command *exec.Cmd
	done    chan struct{} // closed when the process has ended
	err     error         // valid when done is closed
	output  tail
}

// processCommand is a command that only stop ends: the end of a context would leave it no time to flush.
func processCommand(program string) *exec.Cmd {
	return exec.CommandContext(context.Background(), program)
}

// startProcess starts a program. Its output also goes to lines if that is not nil.
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

// failure says how a process ended that should not have, with its last line.
func (p *process) failure() error {
	return fmt.Errorf("%s did not go on: %w: %s", p.name, p.err, p.output.last())
}

// stop asks the process to stop, waits until it has, and kills it if it does not.
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
	<-p.done // WaitDelay bounds it
	return err
}

// tail keeps the end of what a process writes.
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

// last returns the last line that is not empty.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := "it wrote nothing"
	for scanner := bufio.NewScanner(bytes.NewReader(t.buf)); scanner.Scan(); {
		if text := strings.TrimSpace(scanner.Text()); text != "" {
			line = text
		}
	}
	return line
}
