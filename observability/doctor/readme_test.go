package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"example.com/dice/observability/internal/doctor"
)

// TestReadme compares the README's tables with the rules. UPDATE=true rewrites them.
func TestReadme(t *testing.T) {
	content, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(content), "-run TestReadme -->\n")
	_, after, ok2 := strings.Cut(rest, "<!-- end -->")
	if !ok || !ok2 {
		t.Fatal("the README has no place for the table")
	}
	want := before + "-run TestReadme -->\n" + table() + "<!-- end -->" + after
	if want == string(content) {
		return
	}
	if os.Getenv("UPDATE") == "" {
		t.Fatal("the table of the README is not current: UPDATE=true go test ./observability/doctor -run TestReadme")
	}
	if err := os.WriteFile("README.md", []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}

func table() string {
	var out strings.Builder
	out.WriteString("\n| rule | severity | finding | evidence needed |\n|---|---|---|---|\n")
	for _, rule := range doctor.Rules() {
		fmt.Fprintf(&out, "| [%s](../../%s) | %s | %s | %s |\n", rule.ID, rule.Learn, rule.Severity, rule.Title, rule.Needs)
	}
	out.WriteString("\n| rule of the score | impact | passes if |\n|---|---|---|\n")
	for _, rule := range doctor.ScoreRules() {
		fmt.Fprintf(&out, "| [%s](../../%s) | %s | %s |\n", rule.ID, rule.Learn, rule.ImpactOf(), rule.Title)
	}
	return out.String() + "\n"
}
