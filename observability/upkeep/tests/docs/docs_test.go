// Package docs tests what can be read without running a stage: READMEs, compose files, dashboards and alerts.
package docs

import (
	"testing"

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
