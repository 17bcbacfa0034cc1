package observability_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/dice/observability/internal/collector"
	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/runner"
	"example.com/dice/observability/internal/store"
)

const root = ".."

// runTimeout is the bound of what a test runs. Other work on the machine and a build without a cache are part of it.
const runTimeout = 10 * time.Minute

func TestMain(m *testing.M) {
	collector.RunIfChild()
	code := m.Run()
	if program, err := local(); err == nil {
		os.RemoveAll(filepath.Dir(program))
	}
	os.Exit(code)
}

// stages returns the names of all stages.
func stages(t *testing.T) []string {
	t.Helper()
	names, err := compose.Names(root)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// nextPort is another for each run of this process, since runs go on at the same time.
var nextPort atomic.Uint32

func init() { nextPort.Store(rand.Uint32N(12_000)) }

// settings are variables for a run that is in nobody's way, with short waits and little traffic.
//
// Ports are below those that systems give to outgoing connections, one of which might take a port before the
// stage does.
func settings(t *testing.T) map[string]string {
	t.Helper()
	variables := map[string]string{"SEED": "1", "MAX_WAIT": "10ms", "NUM_USERS": "10", "MAX_ROLLS_PER_USER": "50"}
	for _, name := range []string{"ROLL_PORT", "FRONTEND_PORT", "DIE_PORT", "OTLP_GRPC_PORT", "OTLP_HTTP_PORT"} {
		for variables[name] == "" {
			port := strconv.Itoa(20_000 + int(nextPort.Add(1)%12_000))
			if listener, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
				listener.Close()
				variables[name] = port
			}
		}
	}
	return variables
}

// environ is variables as a process takes them.
func environ(variables map[string]string) []string {
	var all []string
	for name, value := range variables {
		all = append(all, name+"="+value)
	}
	return all
}

func load(t *testing.T, root, name string) *compose.Stage {
	t.Helper()
	s, err := compose.Load(t.Context(), root, name, compose.Settings{Override: environ(settings(t))})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// summary is the last line of the traffic generator.
type summary struct {
	Message string `json:"msg"`
	Rolls   int
	Users   int
	Dice    int // of the stages that have batches
	Replies map[string]int
}

// dice is the number of dice rolled.
func (s summary) dice() int { return max(s.Rolls, s.Dice) }

// run runs a stage with its traffic, and also while it runs, and returns all the telemetry there was.
func run(t *testing.T, name string, also func(*runner.Runner, *compose.Stage)) (*store.Store, summary) {
	t.Helper()
	return runIn(t, root, name, also)
}

// runIn is run in a copy of the repository.
func runIn(t *testing.T, root, name string, also func(*runner.Runner, *compose.Stage)) (*store.Store, summary) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	s := load(t, root, name)
	running, err := runner.Start(ctx, s, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	err = running.Traffic(ctx, &lines)
	if err == nil {
		also(running, s)
	}
	if stopped := running.Stop(); err != nil || stopped != nil {
		t.Fatalf("traffic: %v, stop: %v", err, stopped)
	}
	return running.Store, lastLine(t, lines.String())
}

func lastLine(t *testing.T, lines string) summary {
	t.Helper()
	var last summary
	for line := range strings.Lines(lines) {
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Fatalf("not a JSON line: %s", line)
		}
	}
	if last.Message != "traffic generation is complete" {
		t.Fatalf("the traffic ended otherwise than with its summary:\n%s", lines)
	}
	return last
}
