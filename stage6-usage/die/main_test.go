package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
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

func TestBadFileStopsTheServiceWithOneLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dice.json")
	if err := os.WriteFile(file, []byte(`{"odd": {"faces": [1], "error_rate": 0}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	process := exec.CommandContext(ctx, os.Args[0])
	process.Env = append(os.Environ(), "TEST_RUN_MAIN=1", "DICE_FILE="+file)
	output, err := process.CombinedOutput()
	if process.ProcessState.ExitCode() != 1 {
		t.Errorf("exit: %v", err)
	}
	if want := "die: DICE_FILE=\"" + file + "\": die \"odd\": faces: has 1, must have 6\n"; string(output) != want {
		t.Errorf("output %q, want %q", output, want)
	}
}

func TestBadDatabaseStopsTheServiceWithOneLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dice.db")
	overwrite(t, file, "this is no database")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	process := exec.CommandContext(ctx, os.Args[0])
	process.Env = append(os.Environ(), "TEST_RUN_MAIN=1", "DICE_FILE=../dice.json", "DATABASE="+file)
	output, err := process.CombinedOutput()
	if process.ProcessState.ExitCode() != 1 {
		t.Errorf("exit: %v", err)
	}
	if want := "die: DATABASE=\"" + file + "\": file is not a database: move it elsewhere, with its -wal and -shm files; it will be rebuilt from DICE_FILE\n"; string(output) != want {
		t.Errorf("output %q, want %q", output, want)
	}
}
