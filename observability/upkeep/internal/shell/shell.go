// Package shell runs the commands of READMEs for tests.
package shell

import (
	"context"
	"os/exec"
	"testing"
	"time"
)

// timeout is below the bound of go test, and enough for a build without a cache.
const timeout = 8 * time.Minute

// Run returns the standard output of a command, which must succeed.
func Run(t *testing.T, directory, command string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	c := exec.CommandContext(ctx, "sh", "-c", command)
	c.Dir = directory
	output, err := c.Output()
	if err != nil {
		t.Errorf("%s: %v\n%s", command, err, output)
	}
	return string(output)
}
