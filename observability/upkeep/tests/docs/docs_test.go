// Package docs tests what can be read without running a stage: READMEs, compose files, dashboards and alerts.
package docs

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"example.com/dice/observability/internal/stages"
)

const root = "../../../.."

// stageNames returns the names of all stages.
func stageNames(t *testing.T) []string {
	t.Helper()
	names, err := stages.Names(root)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// shell returns the standard output of a command, which must succeed.
func shell(t *testing.T, directory, command string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute) // a benchmark may have to compile all
	defer cancel()
	c := exec.CommandContext(ctx, "sh", "-c", command)
	c.Dir = directory
	output, err := c.Output()
	if err != nil {
		t.Errorf("%s: %v\n%s", command, err, output)
	}
	return string(output)
}
