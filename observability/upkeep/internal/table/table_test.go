package table

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "README.md")
	const before = "# Text\n<!-- one -->\n<!-- /one -->\n<!-- two -->\n<!-- /two -->\nmore text\n"
	if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time it replaces its own
		table := New("a", "b")
		table.Row("1", "2")
		if err := table.Write(file, "two"); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	const want = "# Text\n<!-- one -->\n<!-- /one -->\n<!-- two -->\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<!-- /two -->\nmore text\n"
	if err != nil || string(got) != want {
		t.Errorf("%v, %q, want %q", err, got, want)
	}
	if rows, err := Rows(file, "two"); err != nil || !reflect.DeepEqual(rows, [][]string{{"1", "2"}}) {
		t.Errorf("%v, %q", err, rows)
	}
	if rows, err := Rows(file, "one"); err != nil || len(rows) > 0 {
		t.Errorf("an empty table: %v, %q", err, rows)
	}
	if err := New("a").Write(file, "three"); err == nil {
		t.Error("a table without a place is written")
	}
}
