//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/internal/readme"
	"example.com/dice/observability/upkeep/internal/stack"
)

// TestOverwrittenDatabase runs the reference's commands one after the other, and wants the line that it shows, rolls
// before the service starts again, and rolls at the end.
func TestOverwrittenDatabase(t *testing.T) {
	const stage = "stage5-database"
	if !slices.Contains(stack.Stages(t, repository), stage) {
		t.Skip("not among the stages to test")
	}
	reference, err := readme.Read(filepath.Join(repository, "observability", "reference.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := slices.DeleteFunc(reference.Of("sh", "text"), func(b readme.Block) bool { return b.Section != "An overwritten database" })
	if !slices.ContainsFunc(blocks, func(b readme.Block) bool { return b.Language == "text" }) {
		t.Fatal("the reference shows no line of the die service")
	}
	s := stack.Start(t, repository, stage, "NUM_USERS=1", "MAX_ROLLS_PER_USER=1")
	s.WaitForTraffic(t)
	for _, block := range blocks {
		switch block.Language {
		case "sh":
			for command := range strings.Lines(block.Text) {
				breakOrMend(t, s, command)
			}
		case "text":
			stack.Eventually(t, "the reference's line", func() error {
				if output := s.Docker(t, strings.Fields(block.Argument)[1:]...); !strings.Contains(output, block.Text) {
					return fmt.Errorf("%s: %s", block.Argument, output)
				}
				return nil
			})
		}
	}
	stack.Eventually(t, "a roll with a new database", rollOnce)
}

// breakOrMend runs a command of docker. Until a restart users roll as before.
func breakOrMend(t *testing.T, s *stack.Stack, command string) {
	t.Helper()
	arguments := strings.Fields(command)[1:]
	if slices.Contains(arguments, "restart") {
		if err := rollOnce(); err != nil {
			t.Errorf("a roll before %s: %v", command, err)
		}
	}
	if i := slices.Index(arguments, "up"); i >= 0 {
		arguments = slices.Insert(arguments, i+1, "--pull=never") // start has built and pulled what is needed
	}
	s.Docker(t, arguments...)
}
