package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

const role = "TEST_ROLE" // what this binary does instead of running tests

func TestMain(m *testing.M) {
	RunIfChild()
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "server":
		serve(context.Background())
	case "watching server":
		serve(WithParent(context.Background()))
	case "parent of server":
		_, _ = Start("server", newCommand("server"), os.Stdout)
		select {}
	case "parent of watching server":
		_, _ = StartSelf("server", newCommand("watching server"), os.Stdout)
		select {}
	case "failing":
		fmt.Print("first\nlast\n\n")
		os.Exit(3)
	case "panicking":
		panic("boom")
	case "killed":
		self, _ := os.FindProcess(os.Getpid())
		_ = self.Kill()
		select {}
	}
}

// serve listens on a port, which it prints, until it is asked to stop.
func serve(ctx context.Context) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	<-ctx.Done()
	fmt.Println("flushed")
}

func newCommand(as string) *exec.Cmd {
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), role+"="+as)
	return command
}

func start(t *testing.T, command *exec.Cmd) *Process {
	t.Helper()
	p, err := Start("server", command, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// eventually polls a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not %s after a minute", what)
		}
	}
}

func isListening(address string) bool {
	connection, err := net.Dial("tcp", address)
	if err == nil {
		connection.Close()
	}
	return err == nil
}

// firstLine waits for the first line of a server's output, its address.
func firstLine(t *testing.T, out fmt.Stringer) string {
	t.Helper()
	line := ""
	eventually(t, "listening", func() (found bool) {
		line, _, found = strings.Cut(out.String(), "\n")
		return found
	})
	return line
}

func TestStopLetsTheProcessFlush(t *testing.T) {
	p := start(t, newCommand("server"))
	address := firstLine(t, &p.output)
	if err := p.Stop(); err != nil || p.Output() != address+"\nflushed\n" {
		t.Errorf("%v, output %q", err, p.Output())
	}
}

// TestChildEndsWithItsParent kills the parent, which then cannot stop anything.
func TestChildEndsWithItsParent(t *testing.T) {
	for _, child := range []string{"server", "watching server"} {
		t.Run(child, func(t *testing.T) {
			var out output
			parent := newCommand("parent of " + child)
			parent.Stdout, parent.WaitDelay = &out, time.Second
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			address := firstLine(t, &out)
			if err := parent.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = parent.Wait()
			eventually(t, "ended", func() bool { return !isListening(address) })
		})
	}
}

func TestChildEndsWithItsSupervisor(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems cannot kill a program with its supervisor")
	}
	p := start(t, newCommand("server"))
	address := firstLine(t, &p.output)
	if err := p.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "ended", func() bool { return !isListening(address) })
}

func TestFailure(t *testing.T) {
	notExecutable := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(notExecutable, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name        string
		command     *exec.Cmd
		want        string
		environment bool
	}{
		{"exit status", newCommand("failing"), "server exited: exit status 3: last", false},
		{"panic", newCommand("panicking"), "server exited: exit status 2: panic: boom", false},
		{"killed", newCommand("killed"), "server was killed by another program, or because memory ran out", true},
		{"not executable", exec.Command(notExecutable), "permission denied", true},
		{"not there", exec.Command(notExecutable + "s"), "no such file or directory", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := start(t, test.command).WaitUntil(t.Context(), func(context.Context) error { return errors.New("not yet") })
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
			if _, environment := errors.AsType[EnvironmentError](err); environment != test.environment {
				t.Errorf("an error of the environment: %t, want %t", environment, test.environment)
			}
		})
	}
}
