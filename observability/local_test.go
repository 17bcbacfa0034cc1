package observability_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// buildLocal builds the command of observability/local.
func buildLocal(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "local")
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./local").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return program
}

func localCommand(ctx context.Context, program string, env []string, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = root
	command.Env = append(os.Environ(), env...)
	return command
}

// freePorts are settings for a run that is in nobody's way.
func freePorts(t *testing.T) []string {
	t.Helper()
	env := []string{"SEED=1", "MAX_WAIT=10ms", "NUM_USERS=5", "MAX_ROLLS_PER_USER=40"}
	for _, variable := range []string{"ROLL_PORT", "FRONTEND_PORT", "DIE_PORT", "OTLP_GRPC_PORT", "OTLP_HTTP_PORT"} {
		env = append(env, variable+"="+freePort(t))
	}
	return env
}

func TestLocalReport(t *testing.T) {
	program := buildLocal(t)
	for _, name := range stages(t) {
		t.Run(name, func(t *testing.T) {
			output, err := localCommand(t.Context(), program, freePorts(t), "-once", name).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, output)
			}
			for _, want := range []string{
				"5 users roll ", "replies by status: map[200:",
				"The slowest request", "A failed request", "roll: roll die", "ERROR roll failed", "█",
				"roll: GET /roll", "p95", "die_failed", "fair", "risky",
			} {
				if !strings.Contains(string(output), want) {
					t.Errorf("the report lacks %q:\n%s", want, output)
				}
			}
		})
	}
}

func TestLocalShowsTheFirstRequestAndTheUsersOwn(t *testing.T) {
	program := buildLocal(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	env := append(freePorts(t), "MAX_WAIT=1s") // traffic that lasts until the first trace is there
	command := localCommand(ctx, program, env, stages(t)[0])
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	expectLine(t, lines, "The first request")
	expectLine(t, lines, "The stage goes on running")
	_, port, _ := strings.Cut(env[4], "=")
	response, err := http.Get("http://localhost:" + port + "/roll?die=blue")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	expectLine(t, lines, "A request of yours")
	expectLine(t, lines, "WARN roll refused")

	if err := command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, stdout); err != nil {
		t.Error(err)
	}
	if err := command.Wait(); err != nil {
		t.Errorf("Ctrl-C: %v", err)
	}
}

func expectLine(t *testing.T, lines *bufio.Scanner, want string) {
	t.Helper()
	for lines.Scan() {
		if strings.Contains(lines.Text(), want) {
			return
		}
	}
	t.Fatalf("the output ended without %q", want)
}

func TestLocalFailsWithOneClearLine(t *testing.T) {
	program := buildLocal(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	names := strings.Join(stages(t), ", ")

	tests := []struct {
		name      string
		env       []string
		arguments []string
		want      string
	}{
		{"no stage", nil, nil, "local: name one stage: " + names + "\n"},
		{"unknown stage", nil, []string{"stage9"}, `local: unknown stage "stage9": there is ` + names + "\n"},
		{
			"port taken", append(freePorts(t), "ROLL_PORT="+port),
			[]string{"stage1-roll"}, "local: port " + port + " of roll is taken: stop what uses it, or set ROLL_PORT to another port\n",
		},
		{
			"service does not start", append(freePorts(t), "MAX_WAIT=soon"), []string{"stage1-roll"},
			"local: roll did not go on: exit status 1: roll: MAX_WAIT=\"soon\": want a duration from 0s to 10s, such as 250ms\n",
		},
		{
			"range of ports", append(freePorts(t), "ROLL_PORT=8091-8093"), []string{"stage1-roll"},
			"local: port 8091-8093 of roll: one process needs one port\n",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			command := localCommand(t.Context(), program, test.env, test.arguments...)
			var stderr strings.Builder
			command.Stderr = &stderr
			if err := command.Run(); command.ProcessState.ExitCode() != 1 {
				t.Errorf("exit: %v", err)
			}
			if stderr.String() != test.want {
				t.Errorf("stderr %q\nwant   %q", stderr.String(), test.want)
			}
		})
	}
}
