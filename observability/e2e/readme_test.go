//go:build e2e

package e2e

import (
	"errors"
	"os/exec"
	"path/filepath"
	"testing"

	"example.com/dice/observability/internal/readme"
)

// sources are the data sources that answer each query language.
var sources = map[string]string{"promql": "prometheus", "logql": "loki", "traceql": "tempo"}

func queries(t *testing.T, stage string) []readme.Block {
	t.Helper()
	text, err := readme.Read(filepath.Join(repository, stage, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return text.Of("promql", "logql", "traceql")
}

// checkReadme wants data for each query of the README, and none for those that show the symptom of a lab.
func checkReadme(t *testing.T, stage string) {
	t.Helper()
	for _, query := range queries(t, stage) {
		source := sources[query.Language]
		if query.Argument == "" {
			eventually(t, "a query of the README", func() error { return hasData(source, query.Text) })
		} else if err := hasData(source, query.Text); !errors.Is(err, errNoData) {
			t.Errorf("%s without its fault: want no data, got: %v", query.Argument, err)
		}
	}
}

// TestLab puts each fault in, in a copy of the repository, and wants its symptom to show. The reverse patch must
// bring back what there was.
func TestLab(t *testing.T) {
	for _, stage := range stages(t) {
		for _, query := range queries(t, stage) {
			if query.Argument == "" {
				continue
			}
			t.Run(stage+" "+query.Argument, func(t *testing.T) {
				copied := t.TempDir()
				shell(t, ".", "cp", "--recursive", repository, copied+"/dice")
				root := filepath.Join(copied, "dice")
				directory := filepath.Join(root, stage)

				shell(t, directory, "git", "apply", query.Argument)
				shell(t, ".", "sh", "-c", "! diff --recursive --brief "+filepath.Join(repository, stage)+" "+directory)
				s := start(t, root, stage, "NUM_USERS=5", "MAX_ROLLS_PER_USER=60")
				eventually(t, "the symptom", func() error { return hasData(sources[query.Language], query.Text) })
				s.waitForTraffic(t)

				shell(t, directory, "git", "apply", "--reverse", query.Argument)
				shell(t, ".", "diff", "--recursive", filepath.Join(repository, stage), directory)
			})
		}
	}
}

func shell(t *testing.T, directory, name string, arguments ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, arguments...)
	command.Dir = directory
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, output)
	}
}
