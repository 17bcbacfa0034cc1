package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.com/dice/observability/upkeep/internal/shell"
)

// TestReadmeCommands runs the commands of each README that need no running stage, in a copy of the stages.
func TestReadmeCommands(t *testing.T) {
	all := readmes(t)
	for _, name := range append(stageNames(t), ".") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			copied := copyStages(t)
			directory := filepath.Join(copied, name)
			for _, command := range all[name].Commands() {
				if target, ok := strings.CutPrefix(command, "cd "); ok {
					directory = filepath.Join(directory, target)
					continue
				}
				runCommand(t, directory, command)
			}
			for _, stage := range stageNames(t) {
				if changed := changedFiles(t, filepath.Join(root, stage), filepath.Join(copied, stage)); len(changed) > 0 {
					t.Errorf("after all commands these files of %s differ: %v", stage, changed)
				}
			}
		})
	}
}

// copyStages returns a repository with copies of the stages.
func copyStages(t *testing.T) string {
	t.Helper()
	copied := t.TempDir()
	shell.Run(t, copied, "git init --quiet") // the paths in patches are the repository's
	for _, stage := range stageNames(t) {
		if err := os.CopyFS(filepath.Join(copied, stage), os.DirFS(filepath.Join(root, stage))); err != nil {
			t.Fatal(err)
		}
	}
	return copied
}

// atService matches a command that asks a service of the stage. Tests of running stages find it by the same port.
var atService = regexp.MustCompile(`http://localhost:80\d\d`)

// runCommand wants a command to succeed. One that it does not know is an error, so that none goes unchecked.
func runCommand(t *testing.T, directory, command string) {
	t.Helper()
	stage := filepath.Join(root, filepath.Base(directory))
	words := strings.Fields(command)
	switch {
	case words[0] == "docker", words[0] == "LATENCY=500ms", words[0] == "OTEL_BSP_MAX_QUEUE_SIZE=2048", words[0] == "seq", strings.Contains(command, "http://localhost:3100/"): // tests/e2e
	case atService.MatchString(command): // tests/stages
	case words[0] == "go" && words[1] == "run" && strings.HasPrefix(words[2], "./observability/"): // their own tests
	case words[0] == "git" && words[1] == "clone":
	case command == "OTEL_TRACES_EXPORTER=console go run ./roll": // the service's main_test.go
	case command == "go test work": // what runs this
	case words[0] == "diff":
		if output := shell.Run(t, directory, command+"; test $? -eq 1"); !strings.Contains(output, "+++") {
			t.Errorf("%s shows no difference", command)
		}
	case words[0] == "git" && words[1] == "apply": // which succeeds also if it finds nothing to change
		shell.Run(t, directory, command)
		changed := changedFiles(t, stage, directory)
		if reverse := words[2] == "--reverse"; reverse != (len(changed) == 0) {
			t.Errorf("after %s these files differ: %v", command, changed)
		}
	default:
		t.Errorf("no test knows the command %q", command)
	}
}
