//go:build e2e

package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/internal/table"
)

var tables = filepath.Join(repository, "observability", "README.md")

// writeTable puts a table into the README of observability, if all of it was tried and nothing failed.
func writeTable(t *testing.T, tb *table.Table, name string) {
	t.Helper()
	t.Log(tb)
	selected := strings.Contains(flag.Lookup("test.run").Value.String(), "/")
	if selected || os.Getenv("E2E_STAGES") != "" || t.Failed() {
		return
	}
	if err := tb.Write(tables, name); err != nil {
		t.Fatal(err)
	}
}

// TestTables wants all faults, stages and services in the tables of the README.
func TestTables(t *testing.T) {
	var want [][]string
	for _, stage := range []string{"stage3-die-service", "stage6-usage"} {
		for _, f := range faults() {
			if f.isFor(stage) {
				want = append(want, []string{number(stage), f.name})
			}
		}
		want = append(want, []string{number(stage), fullDisk.name})
	}
	checkRows(t, "faults", want)
	checkRows(t, "stops", [][]string{{"roll"}, {"die"}, {"frontend"}, {"traffic"}})
	checkRows(t, "rate", [][]string{{"stage 1", "4"}, {"stage 1", "64"}, {"stage 6", "4"}, {"stage 6", "64"}})
	rows, err := table.Rows(tables, "footprint")
	if err != nil || len(rows) == 0 {
		t.Fatalf("%d rows of the footprint: %v", len(rows), err)
	}
	for _, row := range rows {
		if len(row) != 1+len(stages(t)) {
			t.Errorf("%s has %d stages", row[0], len(row)-1)
		}
	}
}

// checkRows wants a table with rows that begin with some cells.
func checkRows(t *testing.T, name string, want [][]string) {
	t.Helper()
	rows, err := table.Rows(tables, name)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(want) {
		t.Errorf("%s has %d rows, want %d", name, len(rows), len(want))
		return
	}
	for i, row := range rows {
		if begin := row[:len(want[i])]; !slices.Equal(begin, want[i]) {
			t.Errorf("%s, row %d begins with %s, want %s", name, i+1, strings.Join(begin, ", "), strings.Join(want[i], ", "))
		}
	}
}
