package main

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestMain runs the service instead of the tests if a test started this binary for that.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_RUN_MAIN") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestMissingSettingStopsTheServiceWithOneLine(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	process := exec.CommandContext(ctx, os.Args[0])
	process.Env = append(os.Environ(), "TEST_RUN_MAIN=1", "ROLL_URL=")
	output, err := process.CombinedOutput()
	if process.ProcessState.ExitCode() != 1 {
		t.Errorf("exit: %v", err)
	}
	if want := "frontend: ROLL_URL is not set\n"; string(output) != want {
		t.Errorf("output %q, want %q", output, want)
	}
}
