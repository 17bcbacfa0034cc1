// Package stages runs each stage without Docker, and tests what it emits, its page, and the commands of its README.
package stages

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/internal/collector"
	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/freeport"
	"example.com/dice/observability/internal/readme"
	"example.com/dice/observability/internal/runner"
	"example.com/dice/observability/internal/stages"
	"example.com/dice/observability/upkeep/internal/shell"
)

const root = "../../../.."

// runTimeout is the bound of what a test runs, a build without a cache included. It is below the bound of go test.
const runTimeout = 8 * time.Minute

func TestMain(m *testing.M) {
	collector.RunIfChild()
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil { // all at once: stages wait more than they compute
		panic(err)
	}
	var err error
	if services.directory, err = os.MkdirTemp("", "dice-test-"); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := os.RemoveAll(services.directory); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// TestStages runs each stage once, with its traffic and with requests that its traffic does not make, and asks all
// that a run can answer.
func TestStages(t *testing.T) {
	t.Parallel()
	for _, name := range stageNames(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stage := load(t, name)
			addDie(t, stage)
			s := start(t, stage)
			generated := s.traffic(t)
			eventually(t, func(t errorer) {
				checkAccount(t, s, generated)
				if hasSignIn(name) {
					checkRuns(t, s.Store, generated)
				}
			})
			if stage.Service("die") != nil {
				t.Run("third die", func(t *testing.T) { checkThirdDie(t, s, generated) })
			}
			t.Run("commands of the README", func(t *testing.T) { checkCommands(t, s) })
			sendMistakes(t, s)
			if hasSignIn(name) {
				makeMistakes(t, stage.URL("frontend"))
			}
			waitForEdges(t, s.Store)
			s.stop(t)
			t.Run("telemetry", func(t *testing.T) { checkTelemetry(t, s) })
			if hasSignIn(name) {
				t.Run("tenants", func(t *testing.T) { checkTenants(t, s.Store) })
				t.Run("names", func(t *testing.T) { checkNames(t, s.Store) })
			}
		})
	}
}

// stageNames returns the names of all stages.
func stageNames(t *testing.T) []string {
	t.Helper()
	names, err := stages.Names(root)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// load reads a stage with ports of its own, short waits and little traffic.
func load(t *testing.T, name string) *compose.Stage {
	t.Helper()
	variables := append(freeport.Variables(), "SEED=1", "MAX_WAIT=10ms", "NUM_USERS=10", "MAX_ROLLS_PER_USER=50")
	stage, err := compose.Load(t.Context(), root, name, compose.Settings{Override: variables})
	if err != nil {
		t.Fatal(err)
	}
	return stage
}

// running is a stage that runs.
type running struct {
	*runner.Runner
	stage    *compose.Stage
	declared declared.Telemetry
	stopped  bool
}

// start starts a stage, which runs until it is stopped, or until the end of the test.
func start(t *testing.T, stage *compose.Stage) *running {
	t.Helper()
	want, err := declared.Read(root, stage.Name)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	started, err := runner.Start(ctx, stage, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	s := &running{Runner: started, stage: stage, declared: want}
	t.Cleanup(func() { s.stop(t) })
	return s
}

// stop stops the stage, unless it is stopped already.
func (s *running) stop(t *testing.T) {
	t.Helper()
	if s.stopped {
		return
	}
	s.stopped = true
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
}

// summary is the last line of the traffic generator.
type summary struct {
	Message string `json:"msg"`
	Rolls   int
	Users   int
	Dice    int // of the stages that have batches
	Replies map[string]int
}

// dice is the number of dice rolled.
func (s summary) dice() int { return max(s.Rolls, s.Dice) }

// traffic runs the traffic generator, and returns when all that it caused has arrived.
func (s *running) traffic(t *testing.T) summary {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	var lines bytes.Buffer
	if err := s.Traffic(ctx, &lines); err != nil {
		t.Fatal(err)
	}
	s.Store.WaitUntilQuiet(ctx, time.Second)
	generated := lastLine(t, lines.String())
	if generated.Rolls < 100 {
		t.Fatalf("only %d rolls", generated.Rolls)
	}
	return generated
}

func lastLine(t *testing.T, lines string) summary {
	t.Helper()
	var last summary
	for line := range strings.Lines(lines) {
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Fatalf("not a JSON line: %s", line)
		}
	}
	if last.Message != "traffic generation is complete" {
		t.Fatalf("the traffic ended otherwise than with its summary:\n%s", lines)
	}
	return last
}

// errorer is a test, or the errors of a check that is repeated.
type errorer interface {
	Helper()
	Errorf(format string, arguments ...any)
}

type errorList []string

func (*errorList) Helper() {}

func (l *errorList) Errorf(format string, arguments ...any) {
	*l = append(*l, fmt.Sprintf(format, arguments...))
}

// eventually repeats a check until it finds no error. The errors that are left after a minute are the test's.
func eventually(t *testing.T, check func(t errorer)) {
	t.Helper()
	var errs errorList
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		errs = nil
		if check(&errs); len(errs) == 0 {
			return
		}
	}
	for _, err := range errs {
		t.Error(err)
	}
}

// localPort finds the port in a command that asks a service.
var localPort = regexp.MustCompile(`http://localhost:(80\d\d)`)

// usual says which service listens where unless a variable moves it, and what its replies look like.
var usual = map[string]struct {
	service string
	reply   *regexp.Regexp
}{
	"8080": {"frontend", regexp.MustCompile(`(?s)^<!doctype html>.*</html>\n$`)},
	"8081": {"roll", regexp.MustCompile(`^(\{"(roll|total|error)":.*\}\n)+$`)},
	"8082": {"die", regexp.MustCompile(`^\{"(identifiers|faces)":.*\}\n$`)},
}

// checkCommands runs the commands of the stage's README that ask a service, and in the first stage, which the README of the
// repository is about, those of that README too. Several at once (seq) are a lab, which is tested in e2e.
func checkCommands(t *testing.T, s *running) {
	t.Helper()
	files := []string{filepath.Join(root, s.stage.Name, "README.md")}
	if s.stage.Name == stageNames(t)[0] {
		files = append(files, filepath.Join(root, "README.md"))
	}
	for _, file := range files {
		text, err := readme.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, command := range text.Commands() {
			match := localPort.FindStringSubmatch(command)
			if match == nil || strings.HasPrefix(command, "seq ") {
				continue
			}
			want := usual[match[1]]
			url := s.stage.URL(want.service)
			if url == "" {
				t.Errorf("%s asks no service of %s", command, s.stage.Name)
				continue
			}
			if output := shell.Run(t, ".", localPort.ReplaceAllString(command, url)); !want.reply.MatchString(output) {
				t.Errorf("%s: %q", command, output)
			}
		}
	}
}
