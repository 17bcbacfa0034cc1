package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestMain runs the traffic generator instead of the tests if a test started this binary for that.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_RUN_MAIN") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// generator is the traffic generator as a process of its own.
func generator(t *testing.T, env ...string) (command *exec.Cmd, stdout, stderr *bytes.Buffer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	command = exec.CommandContext(ctx, os.Args[0])
	command.Env = append(os.Environ(), append(env, "TEST_RUN_MAIN=1")...)
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	command.Stdout, command.Stderr = stdout, stderr
	return command, stdout, stderr
}

type logLine struct {
	Level, Msg string
	Label      string `json:"traffic.user"`
	Users      int
	Rolls      int
	Dice       int
	Replies    map[string]int
	Median     string
	P95        string
	Grafana    string
}

func logLines(t *testing.T, out *bytes.Buffer) []logLine {
	t.Helper()
	var lines []logLine
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		var line logLine
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			t.Fatalf("not a JSON line: %s", scanner.Text())
		}
		lines = append(lines, line)
	}
	return lines
}
