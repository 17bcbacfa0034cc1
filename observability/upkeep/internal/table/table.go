// Package table creates Markdown tables and puts them into a README.
package table

import (
	"fmt"
	"os"
	"strings"
)

// Table is a table in Markdown.
type Table struct{ text strings.Builder }

// New returns a table without rows.
func New(columns ...string) *Table {
	t := new(Table)
	t.Row(columns...)
	fmt.Fprintf(&t.text, "|%s\n", strings.Repeat("---|", len(columns)))
	return t
}

// Row adds a row.
func (t *Table) Row(cells ...string) { fmt.Fprintf(&t.text, "| %s |\n", strings.Join(cells, " | ")) }

func (t *Table) String() string { return "\n" + t.text.String() }

// Write puts the table into a file, between the comments <!-- name --> and <!-- /name -->.
func (t *Table) Write(file, name string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	_, old, err := find(string(text), file, name)
	if err != nil {
		return err
	}
	begin, end := comments(name)
	return os.WriteFile(file, []byte(strings.Replace(string(text), begin+old+end, begin+t.String()+"\n"+end, 1)), 0o644)
}

// Rows returns the rows of the table between the comments with this name in a file, without the headings.
func Rows(file, name string) ([][]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	lines, _, err := find(string(text), file, name)
	if err != nil || len(lines) < 2 {
		return nil, err
	}
	var rows [][]string
	for _, line := range lines[2:] {
		rows = append(rows, strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "| "), " |"), " | "))
	}
	return rows, nil
}

// find returns the lines of a table, and all text between its comments.
func find(text, file, name string) (lines []string, between string, err error) {
	begin, end := comments(name)
	_, rest, found := strings.Cut(text, begin)
	between, _, closed := strings.Cut(rest, end)
	if !found || !closed {
		return nil, "", fmt.Errorf("%s has no comments for the table %q", file, name)
	}
	for line := range strings.Lines(between) {
		if strings.HasPrefix(line, "|") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines, between, nil
}

func comments(name string) (begin, end string) {
	return "<!-- " + name + " -->\n", "<!-- /" + name + " -->\n"
}
