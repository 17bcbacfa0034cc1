//go:build e2e

package e2e

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
)

const repository = "../.."

// stack is one stage, run by docker compose from its directory.
type stack struct {
	root     string // of the repository, or of a copy of it
	stage    string
	env      []string
	started  time.Time
	terminal terminal
}

// terminal is what docker compose up prints.
type terminal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.Write(p)
}

func (t *terminal) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

// stages returns the names of the stages to test.
func stages(t *testing.T) []string {
	t.Helper()
	if names := os.Getenv("E2E_STAGES"); names != "" {
		return strings.Fields(names)
	}
	directories, err := filepath.Glob(filepath.Join(repository, "stage*"))
	if err != nil || len(directories) == 0 {
		t.Fatalf("no stages: %v", err)
	}
	var names []string
	for _, directory := range directories {
		names = append(names, filepath.Base(directory))
	}
	return names
}

// start builds the stage's images and starts the stage as a user does, by docker compose up in a terminal. The
// stage is gone without a trace after the test.
func start(t *testing.T, root, stage string, env ...string) *stack {
	t.Helper()
	s := &stack{root: root, stage: stage, env: env}
	s.compose(t, "down", "--volumes", "--remove-orphans")
	s.compose(t, "build")
	if len(without()) == 0 {
		s.compose(t, "pull", "--quiet", "--ignore-buildable")
	}

	up, cancel := s.command(append([]string{"compose", "up"}, without()...)...)
	up.Stdout, up.Stderr = &s.terminal, &s.terminal
	s.started = time.Now()
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("last lines of all services:\n%s", s.compose(t, "logs", "--tail=15", "--no-color"))
		}
		s.checkRestarts(t)
		s.compose(t, "down", "--volumes")
		_ = up.Wait() // ends because its containers are gone
		cancel()
		for _, kind := range []string{"container", "volume", "network"} {
			if left := s.docker(t, kind, "ls", "--quiet", "--filter", "label=com.docker.compose.project="+stage); left != "" {
				t.Errorf("docker compose down -v left a %s: %s", kind, left)
			}
		}
	})
	return s
}

// checkRestarts wants no container that ended by itself, such as for want of memory, and was started again by its restart policy.
func (s *stack) checkRestarts(t *testing.T) {
	t.Helper()
	for _, id := range strings.Fields(s.docker(t, "ps", "--all", "--quiet", "--filter", "label=com.docker.compose.project="+s.stage)) {
		if state := s.docker(t, "inspect", "--format", "{{.Name}}: {{.RestartCount}} restarts", id); !strings.Contains(state, ": 0 restarts") {
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

// compose runs docker compose in the stage's directory and returns its standard output.
func (s *stack) compose(t *testing.T, arguments ...string) string {
	t.Helper()
	return s.docker(t, append([]string{"compose"}, arguments...)...)
}

// docker runs docker in the stage's directory and returns its standard output.
func (s *stack) docker(t *testing.T, arguments ...string) string {
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

func (s *stack) command(arguments ...string) (*exec.Cmd, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	command := exec.CommandContext(ctx, "docker", arguments...)
	command.Dir = filepath.Join(s.root, s.stage)
	command.Env = append(os.Environ(), s.env...)
	return command, cancel
}

// logs returns the log records with this message that a service wrote to the terminal.
func (s *stack) logs(t *testing.T, service, message string) []map[string]any {
	t.Helper()
	return withMessage(s.compose(t, "logs", "--no-log-prefix", "--no-color", service), message)
}

func withMessage(output, message string) []map[string]any {
	return slices.DeleteFunc(jsonLines(output), func(record map[string]any) bool { return record["msg"] != message })
}

// jsonLines returns the lines that are log records.
func jsonLines(output string) []map[string]any {
	var records []map[string]any
	for line := range strings.Lines(output) {
		var record map[string]any
		if json.Unmarshal([]byte(line), &record) == nil {
			records = append(records, record)
		}
	}
	return records
}

// summary is the last line of the traffic generator.
type summary struct {
	Rolls       int            `json:"rolls"`
	Users       int            `json:"users"`
	Dice        int            `json:"dice"` // of the stages that have batches
	Replies     map[string]int `json:"replies"`
	Median, P95 string
}

// dice is the number of dice rolled.
func (s summary) dice() int { return max(s.Rolls, s.Dice) }

func (s *stack) waitUntilTrafficStarts(t *testing.T) {
	t.Helper()
	eventually(t, "the traffic to start", func() error {
		if len(s.logs(t, "traffic", "traffic generation starts")) == 0 {
			text := s.terminal.String()
			return fmt.Errorf("not yet; the terminal ends with %q", text[max(0, len(text)-500):])
		}
		return nil
	})
}

// waitForTraffic waits until the traffic generator that came up with the stage has finished.
func (s *stack) waitForTraffic(t *testing.T) summary {
	t.Helper()
	s.waitUntilTrafficStarts(t)
	container := strings.TrimSpace(s.compose(t, "ps", "--all", "--quiet", "traffic"))
	if code := strings.TrimSpace(s.docker(t, "wait", container)); code != "0" {
		t.Fatalf("traffic ended with exit code %s", code)
	}
	return toSummary(t, s.logs(t, "traffic", "traffic generation is complete"))
}

// traffic runs the traffic generator again, with some more settings, and calls during while it runs.
func (s *stack) traffic(t *testing.T, users, maxRolls int, during func(), settings ...string) summary {
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
	return toSummary(t, withMessage(output.String(), "traffic generation is complete"))
}

func toSummary(t *testing.T, records []map[string]any) summary {
	t.Helper()
	if len(records) != 1 {
		t.Fatalf("%d summaries of the traffic, want 1", len(records))
	}
	data, err := json.Marshal(records[0])
	if err != nil {
		t.Fatal(err)
	}
	var got summary
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	t.Logf("traffic: %+v", got)
	return got
}
