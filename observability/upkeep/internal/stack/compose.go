// Package stack runs a stage with docker compose for tests, as the stage's README says, and queries Prometheus, Loki and Tempo.
package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/dice/observability/internal/stages"
)

// Stack is one stage with its engines, run by docker compose from the stage's directory.
type Stack struct {
	Root     string // of the repository, or of a copy of it
	Stage    string
	Env      []string // variables of docker compose, each NAME=value
	Started  time.Time
	Terminal Terminal
}

// Terminal is the output of docker compose up.
type Terminal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write appends to the output.
func (t *Terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.Write(p)
}

func (t *Terminal) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

// Stages returns the names of the stages to test: those in E2E_STAGES, or all.
func Stages(t *testing.T, root string) []string {
	t.Helper()
	if names := os.Getenv("E2E_STAGES"); names != "" {
		return strings.Fields(names)
	}
	names, err := stages.Names(root)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// Start builds the stage's images and starts the stage as a user does, with docker compose up in a terminal. After the
// test, it removes everything that belongs to the stage.
func Start(t *testing.T, root, stage string, env ...string) *Stack {
	t.Helper()
	s := &Stack{Root: root, Stage: stage, Env: env}
	s.Compose(t, "down", "--volumes", "--remove-orphans")
	// The volumes of an overlay that an interrupted run used are not in this compose file.
	if volumes := strings.Fields(s.left(t, "volume")); len(volumes) > 0 {
		s.Docker(t, append([]string{"volume", "rm"}, volumes...)...)
	}
	s.Compose(t, "build")
	if len(without()) == 0 {
		s.Compose(t, "pull", "--quiet", "--ignore-buildable")
	}

	up, cancel := s.command(append([]string{"compose", "up"}, without()...)...)
	up.Stdout, up.Stderr = &s.Terminal, &s.Terminal
	s.Started = time.Now()
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("last lines of all services:\n%s", s.Compose(t, "logs", "--tail=15", "--no-color"))
		}
		s.checkRestarts(t)
		s.Compose(t, "down", "--volumes")
		_ = up.Wait() // ends because its containers are gone
		cancel()
		for _, kind := range []string{"container", "volume", "network"} {
			if left := s.left(t, kind); left != "" {
				t.Errorf("docker compose down -v left a %s: %s", kind, left)
			}
		}
	})
	return s
}

// left returns the containers, volumes or networks of the stage, each on a line.
func (s *Stack) left(t *testing.T, kind string) string {
	t.Helper()
	return s.Docker(t, kind, "ls", "--quiet", "--filter", "label=com.docker.compose.project="+s.Stage)
}

// checkRestarts fails if a container exited, for example because it ran out of memory, and its restart policy restarted it.
func (s *Stack) checkRestarts(t *testing.T) {
	t.Helper()
	for _, id := range strings.Fields(s.Docker(t, "ps", "--all", "--quiet", "--filter", "label=com.docker.compose.project="+s.Stage)) {
		if state := s.Docker(t, "inspect", "--format", "{{.Name}}: {{.RestartCount}} restarts", id); !strings.Contains(state, ": 0 restarts") {
			t.Error(state)
		}
	}
}

// without returns the options of docker compose up that leave out the services in E2E_WITHOUT.
func without() []string {
	var options []string
	for _, service := range strings.Fields(os.Getenv("E2E_WITHOUT")) {
		options = append(options, "--pull=never", "--scale="+service+"=0")
	}
	return options
}

// Compose runs docker compose in the stage's directory and returns its standard output.
func (s *Stack) Compose(t *testing.T, arguments ...string) string {
	t.Helper()
	return s.Docker(t, append([]string{"compose"}, arguments...)...)
}

// Docker runs docker in the stage's directory and returns its standard output.
func (s *Stack) Docker(t *testing.T, arguments ...string) string {
	t.Helper()
	command, cancel := s.command(arguments...)
	defer cancel()
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", command, err, stdout, &stderr)
	}
	return string(stdout)
}

func (s *Stack) command(arguments ...string) (*exec.Cmd, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	command := exec.CommandContext(ctx, "docker", arguments...)
	command.Dir = filepath.Join(s.Root, s.Stage)
	command.Env = append(os.Environ(), s.Env...)
	return command, cancel
}

// Logs returns the log records with this message that a service wrote to the terminal.
func (s *Stack) Logs(t *testing.T, service, message string) []map[string]any {
	t.Helper()
	return withMessage(s.Compose(t, "logs", "--no-log-prefix", "--no-color", service), message)
}

func withMessage(output, message string) []map[string]any {
	return slices.DeleteFunc(JSONLines(output), func(record map[string]any) bool { return record["msg"] != message })
}

// JSONLines returns the lines that are log records.
func JSONLines(output string) []map[string]any {
	var records []map[string]any
	for line := range strings.Lines(output) {
		var record map[string]any
		if json.Unmarshal([]byte(line), &record) == nil {
			records = append(records, record)
		}
	}
	return records
}

// Summary is the last line of the traffic generator.
type Summary struct {
	Rolls       int            `json:"rolls"`
	Users       int            `json:"users"`
	Dice        int            `json:"dice"` // only in the stages with batches
	Replies     map[string]int `json:"replies"`
	Median, P95 string
}

// AllDice is the number of dice rolled.
func (s Summary) AllDice() int { return max(s.Rolls, s.Dice) }

// WaitUntilTrafficStarts waits until the traffic generator that was started with the stage has begun.
func (s *Stack) WaitUntilTrafficStarts(t *testing.T) {
	t.Helper()
	Eventually(t, "the traffic to start", func() error {
		if len(s.Logs(t, "traffic", "traffic generation started")) == 0 {
			text := s.Terminal.String()
			return fmt.Errorf("not yet; the terminal ends with %q", text[max(0, len(text)-500):])
		}
		return nil
	})
}

// WaitForTraffic waits until the traffic generator that was started with the stage has finished.
func (s *Stack) WaitForTraffic(t *testing.T) Summary {
	t.Helper()
	s.WaitUntilTrafficStarts(t)
	container := strings.TrimSpace(s.Compose(t, "ps", "--all", "--quiet", "traffic"))
	if code := strings.TrimSpace(s.Docker(t, "wait", container)); code != "0" {
		t.Fatalf("traffic ended with exit code %s", code)
	}
	return parseSummary(t, s.Logs(t, "traffic", "traffic generation is complete"))
}

// Traffic runs the traffic generator again, with more settings if there are any, and calls during while it runs.
func (s *Stack) Traffic(t *testing.T, users, maxRolls int, during func(), settings ...string) Summary {
	t.Helper()
	arguments := []string{"compose", "run", "--rm", "--no-TTY", "--no-deps"}
	for _, setting := range append(settings, fmt.Sprintf("NUM_USERS=%d", users), fmt.Sprintf("MAX_ROLLS_PER_USER=%d", maxRolls), "SEED=1") {
		arguments = append(arguments, "--env", setting)
	}
	command, cancel := s.command(append(arguments, "traffic")...)
	defer cancel()
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	during()
	if err := command.Wait(); err != nil {
		t.Errorf("traffic: %v\n%s", err, &output)
	}
	return parseSummary(t, withMessage(output.String(), "traffic generation is complete"))
}

func parseSummary(t *testing.T, records []map[string]any) Summary {
	t.Helper()
	if len(records) != 1 {
		t.Fatalf("%d summaries of the traffic, want 1", len(records))
	}
	data, err := json.Marshal(records[0])
	if err != nil {
		t.Fatal(err)
	}
	var got Summary
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	t.Logf("traffic: %+v", got)
	return got
}
