package observability_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/internal/stage"
)

// TestReadmeCommands runs the commands of each README, against a stage that runs on other ports, in a copy of the
// repository. Those of Docker are left to e2e.
func TestReadmeCommands(t *testing.T) {
	for _, readme := range append(stages(t), ".") {
		t.Run(readme, func(t *testing.T) {
			t.Parallel()
			name := readme
			if readme == "." {
				name = stages(t)[0] // the one that the root's README runs
			}
			copied := t.TempDir()
			if err := os.CopyFS(copied, os.DirFS(root)); err != nil {
				t.Fatal(err)
			}
			run(t, name, func(_ *stage.Running, s *stage.Stage) {
				directory := filepath.Join(copied, readme)
				for _, command := range readmes(t)[readme].Commands() {
					if target, ok := strings.CutPrefix(command, "cd "); ok {
						directory = filepath.Join(directory, target)
						continue
					}
					runCommand(t, s, directory, command)
				}
			})
			if changed := changedFiles(t, filepath.Join(root, name), filepath.Join(copied, name)); len(changed) > 0 {
				t.Errorf("after all commands these files differ: %v", changed)
			}
		})
	}
}

var (
	localPort = regexp.MustCompile(`http://localhost:(\d+)`)
	rowOfCost = regexp.MustCompile(`BenchmarkRoll/?([a-z+_]*)`)
)

// runCommand wants a command to succeed. One that it does not know is an error, so that none goes unchecked.
func runCommand(t *testing.T, s *stage.Stage, directory, command string) {
	t.Helper()
	words := strings.Fields(command)
	switch {
	case words[0] == "docker", words[0] == "LATENCY=500ms", words[0] == "OTEL_BSP_MAX_QUEUE_SIZE=2048", strings.Contains(command, "localhost:3100/"): // e2e
	case strings.HasPrefix(command, "go run ./observability/local "): // local_test.go
	case command == "OTEL_TRACES_EXPORTER=console go run ./roll": // the service's own main_test.go
	case command == "go test -timeout 30m work": // what runs this
	case words[0] == "curl", words[0] == "seq": // several at once
		checkCurl(t, s, directory, command)
	case words[0] == "diff":
		if output := shell(t, directory, command+"; test $? -eq 1"); !strings.Contains(output, "+++") {
			t.Errorf("%s shows no difference", command)
		}
	case words[0] == "git" && words[1] == "apply": // which succeeds also if it finds nothing to change
		shell(t, directory, command)
		changed := changedFiles(t, filepath.Join(root, s.Name), directory)
		if reverse := words[2] == "--reverse"; reverse != (len(changed) == 0) {
			t.Errorf("after %s these files differ: %v", command, changed)
		}
	case strings.HasPrefix(command, "go test ") && strings.Contains(command, "-bench"):
		checkRowsOfCost(t, s.Name, shell(t, directory, command+" -benchtime 1x"))
	default:
		t.Errorf("no test knows the command %q", command)
	}
}

// usual says which service listens where unless a variable moves it, and what its replies look like.
var usual = map[string]struct {
	service string
	reply   *regexp.Regexp
}{
	"8080": {"frontend", regexp.MustCompile(`(?s)^<!doctype html>.*</html>\n$`)},
	"8081": {"roll", regexp.MustCompile(`^(\{"(roll|total|error)":.*\}\n)+$`)},
	"8082": {"die", regexp.MustCompile(`^\{"(identifiers|faces)":.*\}\n$`)},
}

func checkCurl(t *testing.T, s *stage.Stage, directory, command string) {
	t.Helper()
	match := localPort.FindStringSubmatch(command)
	if match == nil || s.URL(usual[match[1]].service) == "" {
		t.Errorf("%s asks no service of %s", command, s.Name)
		return
	}
	want := usual[match[1]]
	output := shell(t, directory, localPort.ReplaceAllString(command, s.URL(want.service)))
	if !want.reply.MatchString(output) {
		t.Errorf("%s: %q", command, output)
	}
}

// checkRowsOfCost wants the table of what it costs to have a row for each benchmark.
func checkRowsOfCost(t *testing.T, name, output string) {
	t.Helper()
	var rows []string
	for _, match := range rowOfCost.FindAllStringSubmatch(output, -1) {
		rows = append(rows, match[1])
	}
	rows[0] = "plain" // the benchmark without sub-benchmarks
	if tables := readmes(t)[name].Tables; !slices.ContainsFunc(tables, func(cells []string) bool { return slices.Equal(cells, rows) }) {
		t.Errorf("no table has the rows %v", rows)
	}
}

func shell(t *testing.T, directory, command string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	c := exec.CommandContext(ctx, "sh", "-c", command)
	c.Dir = directory
	output, err := c.Output()
	if err != nil {
		t.Errorf("%s: %v\n%s", command, err, output)
	}
	return string(output)
}
