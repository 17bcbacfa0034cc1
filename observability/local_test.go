package observability_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/dice/observability/internal/stage"
)

// local is the command of observability/local, built once.
var local = sync.OnceValues(func() (string, error) {
	directory, err := os.MkdirTemp("", "dice-test-")
	if err != nil {
		return "", err
	}
	program := filepath.Join(directory, "local")
	output, err := exec.Command("go", "build", "-o", program, "./local").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, output)
	}
	return program, nil
})

// localCommand is local with its bound. What ends it leaves it time to stop the processes that it started.
func localCommand(t *testing.T, variables map[string]string, arguments ...string) *exec.Cmd {
	t.Helper()
	program, err := local()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), runTimeout)
	t.Cleanup(cancel)
	command := exec.CommandContext(ctx, program, arguments...)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 30 * time.Second
	command.Dir = root
	command.Env = append(os.Environ(), environ(variables)...)
	return command
}

// with returns the settings of a run with one more.
func with(t *testing.T, name, value string) map[string]string {
	t.Helper()
	variables := settings(t)
	variables[name] = value
	return variables
}

func TestLocalReport(t *testing.T) {
	for _, name := range stages(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			output, err := localCommand(t, settings(t), "-once", name).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, output)
			}
			wants := []string{
				"10 users roll ", "replies by status: map[200:",
				"The slowest request", "A failed request", "roll: roll die", "ERROR " + failedRequest(name, output), "█",
				"roll: GET /roll", "p95", "failed", "fair", "risky",
			}
			if slices.Contains(stagesWithUsage(t), name) {
				wants = append(wants, "→ usage", "by the tenant", "roll: rolled", "│   dice │", "│  usage │")
			}
			for _, want := range wants {
				if !strings.Contains(string(output), want) {
					t.Errorf("the report lacks %q:\n%s", want, output)
				}
			}
		})
	}
}

// failedRequest is what the log says of the failed request in a report. From stage 4 on it may be a batch.
func failedRequest(stage string, report []byte) string {
	if stage > "stage4" && !strings.Contains(string(report), "ERROR roll failed") {
		return "batch failed"
	}
	return "roll failed"
}

// TestLocalShowsTheFirstRequestAndTheUsersOwn runs the first stage and the last, which has all that the others have.
func TestLocalShowsTheFirstRequestAndTheUsersOwn(t *testing.T) {
	names := stages(t)
	for _, name := range []string{names[0], names[len(names)-1]} {
		t.Run(name, func(t *testing.T) { showRequests(t, name) })
	}
}

func showRequests(t *testing.T, name string) {
	t.Helper()
	variables := with(t, "MAX_WAIT", "1s") // traffic that lasts until the first trace is there
	command := localCommand(t, variables, name)
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
	if _, err := os.Stat(filepath.Join(root, name, "frontend")); err == nil {
		expectLine(t, lines, "Open http://localhost:"+variables["FRONTEND_PORT"])
	}
	expectLine(t, lines, "curl 'http://localhost:"+variables["ROLL_PORT"]+"/roll?die=fair'")
	response, err := http.Get("http://localhost:" + variables["ROLL_PORT"] + "/roll?die=blue")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	expectLine(t, lines, "A request of yours")
	expectLine(t, lines, "WARN roll refused")
	if name > "stage4" {
		get(t.Context(), t, "http://localhost:"+variables["ROLL_PORT"]+"/roll-async?die=fair&times=50")
		expectLine(t, lines, "… and 31 more") // of a look-up and 50 rolls
	}

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
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	names := strings.Join(stages(t), ", ")

	tests := []struct {
		name      string
		variables map[string]string
		arguments []string
		want      string
	}{
		{"no stage", nil, nil, "local: name one stage: " + names + "\n"},
		{"unknown stage", nil, []string{"stage9"}, `local: unknown stage "stage9": there is ` + names + "\n"},
		{
			"port taken", with(t, "ROLL_PORT", port), []string{"stage1-roll"},
			"local: port " + port + " of roll is taken: stop what uses it, or set ROLL_PORT to another port\n",
		},
		{
			"service does not start", with(t, "MAX_WAIT", "soon"), []string{"stage1-roll"},
			"local: roll did not go on: exit status 1: roll: MAX_WAIT=\"soon\": want a duration from 0s to 10s, such as 250ms\n",
		},
		{
			"no C compiler", with(t, "CC", "/nowhere/gcc"), []string{"stage5-database"},
			"local: stage5-database needs a C compiler (gcc or clang) and CGO_ENABLED=1 for SQLite: install one, or use Docker\n",
		},
		{
			"cgo is off", with(t, "CGO_ENABLED", "0"), []string{"stage5-database"},
			"local: stage5-database needs a C compiler (gcc or clang) and CGO_ENABLED=1 for SQLite: install one, or use Docker\n",
		},
		{
			"range of ports", with(t, "ROLL_PORT", "8091-8093"), []string{"stage1-roll"},
			"local: port 8091-8093 of roll: one process needs one port\n",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			command := localCommand(t, test.variables, test.arguments...)
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

// TestSettings wants variables from the environment, else from the stage's file .env, else the defaults.
func TestSettings(t *testing.T) {
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(root)); err != nil {
		t.Fatal(err)
	}
	name := stages(t)[0]
	if err := os.WriteFile(filepath.Join(copied, name, ".env"), []byte("DICE_STAGE="+name+"\nROLL_PORT=9081\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	url := func(settings stage.Settings) string {
		s, err := stage.Load(t.Context(), copied, name, settings)
		if err != nil {
			t.Fatal(err)
		}
		return s.URL("roll")
	}
	if got := url(stage.Settings{Default: []string{"ROLL_PORT=9083"}}); got != "http://localhost:9081" {
		t.Errorf("%s, want the port in .env", got)
	}
	t.Setenv("ROLL_PORT", "9082")
	if got := url(stage.Settings{}); got != "http://localhost:9082" {
		t.Errorf("%s, want the port in the environment", got)
	}
}
