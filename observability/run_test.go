package observability_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/internal/collector"
	"example.com/dice/observability/internal/stage"
	"example.com/dice/observability/internal/store"
)

const root = ".."

func TestMain(m *testing.M) {
	collector.RunIfChild()
	os.Exit(m.Run())
}

// stages returns the names of all stages.
func stages(t *testing.T) []string {
	t.Helper()
	names, err := stage.Names(root)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// load reads a stage with free ports, short waits and little traffic.
func load(t *testing.T, name string) *stage.Stage {
	t.Helper()
	env := []string{"SEED=1", "MAX_WAIT=10ms", "NUM_USERS=10", "MAX_ROLLS_PER_USER=50"}
	for _, variable := range []string{"ROLL_PORT", "FRONTEND_PORT", "DIE_PORT", "OTLP_GRPC_PORT", "OTLP_HTTP_PORT"} {
		env = append(env, variable+"="+freePort(t))
	}
	s, err := stage.Load(t.Context(), root, name, env...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// freePort returns a port below those that systems give to outgoing connections, one of which might take it
// before the stage does.
func freePort(t *testing.T) string {
	t.Helper()
	for range 1000 {
		port := strconv.Itoa(20_000 + rand.IntN(12_000))
		listener, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err == nil {
			listener.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return ""
}

// summary is the last line of the traffic generator.
type summary struct {
	Message string `json:"msg"`
	Rolls   int
	Replies map[string]int
}

// run runs a stage with its traffic, and also while it runs, and returns all the telemetry there was.
func run(t *testing.T, name string, also func(*stage.Running, *stage.Stage)) (*store.Store, summary) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	s := load(t, name)
	running, err := s.Start(ctx, func(string) {})
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
		t.Fatalf("last line of the traffic: %+v", last)
	}
	return last
}
