//go:build measurements

package measurements

import (
	"flag"
	"os"
	"strings"
	"testing"

	"example.com/dice/observability/upkeep/internal/table"
)

const (
	repository  = "../../.."
	first, last = "stage1-roll", "stage6-usage"
)

// writeTable puts a table into the README, if all of it was measured and nothing failed.
func writeTable(t *testing.T, tb *table.Table, name string) {
	t.Helper()
	writeTableTo(t, "README.md", tb, name)
}

// writeTableTo is writeTable for another README.
func writeTableTo(t *testing.T, file string, tb *table.Table, name string) {
	t.Helper()
	t.Log(tb)
	selected := strings.Contains(flag.Lookup("test.run").Value.String(), "/")
	if selected || os.Getenv("E2E_STAGES") != "" || t.Failed() {
		return
	}
	if err := tb.Write(file, name); err != nil {
		t.Fatal(err)
	}
}

// number returns the first part of a stage's name, such as "stage 3".
func number(stage string) string {
	first, _, _ := strings.Cut(stage, "-")
	return strings.Replace(first, "stage", "stage ", 1)
}
