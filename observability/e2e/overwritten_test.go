//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/internal/readme"
)

// TestOverwrittenDatabase does with the database what the README does, and wants the line that the README shows.
func TestOverwrittenDatabase(t *testing.T) {
	const stage = "stage5-database"
	if !slices.Contains(stages(t), stage) {
		t.Skip("not among the stages to test")
	}
	blocks := readText(t, stage).Of("text")
	shown := slices.IndexFunc(blocks, func(b readme.Block) bool { return b.Argument == "docker compose logs die" })
	if shown < 0 {
		t.Fatal("the README shows no line of the die service")
	}
	s := start(t, repository, stage, "NUM_USERS=1", "MAX_ROLLS_PER_USER=1")
	s.waitForTraffic(t)
	s.compose(t, "cp", "dice.json", "die:/var/lib/dice/dice.db")
	if err := rollOnce(); err != nil {
		t.Errorf("a roll before the restart: %v", err)
	}
	s.compose(t, "restart", "die")
	eventually(t, "the README's line", func() error {
		if output := s.compose(t, "logs", "--no-log-prefix", "die"); !strings.Contains(output, blocks[shown].Text) {
			return fmt.Errorf("the die service wrote %s", output)
		}
		return nil
	})
	s.compose(t, "rm", "--stop", "--force", "die")
	s.docker(t, "volume", "rm", stage+"_database")
	s.compose(t, "up", "--detach", "--pull=never", "die")
	eventually(t, "a roll with a new database", rollOnce)
}
