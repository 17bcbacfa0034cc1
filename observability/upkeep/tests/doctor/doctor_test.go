// Package doctor lets the judge of one's own service judge the stages, as they are and with faults.
package doctor

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"example.com/dice/observability/internal/collector"
	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/doctor"
	"example.com/dice/observability/internal/freeport"
	"example.com/dice/observability/internal/incidents"
	"example.com/dice/observability/internal/otlp"
	"example.com/dice/observability/internal/runner"
	"example.com/dice/observability/internal/stages"
)

const root = "../../../.."

func TestMain(m *testing.M) {
	collector.RunIfChild()
	os.Exit(m.Run())
}

func thorough(t *testing.T) {
	t.Helper()
	if os.Getenv("THOROUGH") == "" {
		t.Skip("make check runs this")
	}
}

// play runs a stage of the repository at directory, whose services send to a judge in place of the collector, until its traffic is over.
func play(t *testing.T, directory, stage string, variables ...string) doctor.Report {
	t.Helper()
	settings := compose.Settings{
		Override: append(freeport.Variables(), append([]string{"SEED=1"}, variables...)...),
		Default:  []string{"MAX_WAIT=100ms", "NUM_USERS=8", "MAX_ROLLS_PER_USER=30"},
	}
	loaded, err := compose.Load(t.Context(), directory, stage, settings)
	if err != nil {
		t.Fatal(err)
	}
	judge := doctor.New(doctor.Command)
	server, err := otlp.Listen(t.Context(), "127.0.0.1:0", otlp.GRPC, "", judge)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for _, service := range loaded.Services {
		for i, variable := range service.Environment {
			if strings.HasPrefix(variable, "OTEL_EXPORTER_OTLP_ENDPOINT=") {
				service.Environment[i] = "OTEL_EXPORTER_OTLP_ENDPOINT=http://" + server.Address()
			}
		}
	}
	running, err := runner.Start(t.Context(), loaded, func(string) {})
	if err != nil {
		t.Log(err) // a fault may keep a service from starting
		return judge.Finish()
	}
	if err := running.Traffic(t.Context(), io.Discard); err != nil {
		t.Log(err)
	}
	if err := running.Stop(); err != nil {
		t.Log(err)
	}
	return judge.Finish()
}

// TestStages wants no error or warning, and a score of at least 90.
func TestStages(t *testing.T) {
	names, err := stages.Names(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			if name != names[0] {
				thorough(t)
			}
			t.Parallel()
			report := play(t, root, name)
			for _, s := range report.Services {
				t.Logf("%s: %d spans, %d points, %d records, score %.1f %v", s.Name, s.Spans, s.Points, s.Records, s.Score.Value, s.Score.Failed)
				if s.Score.Value < 90 || s.Spans == 0 {
					t.Errorf("%s has the score %.1f: %+v", s.Name, s.Score.Value, s.Score.Failed)
				}
			}
			for _, finding := range report.Findings {
				if finding.Rule.Severity == doctor.Note {
					t.Logf("%s %s %+v", finding.Service, finding.Rule.ID, finding.Evidence[0])
				} else {
					t.Errorf("%s %s %+v", finding.Service, finding.Rule.ID, finding.Evidence)
				}
			}
		})
	}
}

// copyOf returns a directory like the root of the repository in which the stage is a copy.
func copyOf(t *testing.T, stage string) string {
	t.Helper()
	from, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if name := entry.Name(); name != stage && !strings.HasPrefix(name, ".") {
			if err := os.Symlink(filepath.Join(from, name), filepath.Join(directory, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.CopyFS(filepath.Join(directory, stage), os.DirFS(filepath.Join(from, stage))); err != nil {
		t.Fatal(err)
	}
	return directory
}

// found maps incidents to what doctor says about them, without knowing the stage: a rule of its own or of the score. The others
// are faults of the service's behavior that its telemetry shows as it is.
var found = map[string]string{
	"stage1-roll/default-buckets":     "histogram-buckets",
	"stage1-roll/trace-in-metric":     "metric-overflow",
	"stage2-frontend/lost-propagator": "context-not-propagated",
	"stage3-die-service/half-a-trace": "context-not-propagated",
	"stage4-async/lost-context":       "context-lost",
	"stage4-async/full-queue":         "sdk-dropped",
	"stage1-roll/empty-panel":         "spans-lost",
	"stage3-die-service/retry-storm":  "SPA-005",
}

// TestIncidents plays one incident for each rule that finds some, or, if SWEEP is set, all incidents.
func TestIncidents(t *testing.T) {
	thorough(t)
	names, err := stages.Names(root)
	if err != nil {
		t.Fatal(err)
	}
	played := make(map[string]bool)
	for _, stage := range names {
		faults, err := incidents.Names(root, stage)
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range faults {
			t.Run(stage+"/"+fault, func(t *testing.T) {
				want := found[stage+"/"+fault]
				if (want == "" || played[want]) && os.Getenv("SWEEP") == "" {
					t.Skip("SWEEP=true runs it")
				}
				played[want] = true
				t.Parallel()
				directory := copyOf(t, stage)
				variables := inject(t, directory, stage, fault)
				all := rulesOf(play(t, directory, stage, variables...))
				if want != "" && !slices.Contains(all, want) {
					t.Errorf("doctor says %q, and not %s", all, want)
				}
				t.Logf("found %q, expected %q", all, want)
			})
		}
	}
}

// inject puts an incident into a copy of a stage, and returns its variables.
func inject(t *testing.T, directory, stage, name string) []string {
	t.Helper()
	file := filepath.Join(incidents.Directory(root, stage), name)
	content, err := os.ReadFile(file + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var fault struct {
		Lab       string
		Variables []string
	}
	if err := yaml.Unmarshal(content, &fault); err != nil {
		t.Fatal(err)
	}
	patch, strip := file+".patch", "-p1"
	if fault.Lab != "" {
		patch, directory = filepath.Join(root, stage, fault.Lab), filepath.Join(directory, stage)
		if text, err := os.ReadFile(patch); err == nil && bytes.Contains(text, []byte("+++ b/"+stage+"/")) {
			strip = "-p2"
		}
	}
	if text, err := os.ReadFile(patch); err == nil {
		command := exec.CommandContext(t.Context(), "patch", "--quiet", strip)
		command.Dir, command.Stdin = directory, bytes.NewReader(text)
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
	}
	return fault.Variables
}

// rulesOf returns what is found in addition to notes, and what the score counts against services, except for the traffic generator.
func rulesOf(r doctor.Report) []string {
	var all []string
	for _, finding := range r.Findings {
		if finding.Rule.Severity != doctor.Note {
			all = append(all, finding.Rule.ID)
		}
	}
	for _, s := range r.Services {
		for _, failure := range s.Score.Failed {
			if s.Name != compose.Traffic {
				all = append(all, failure.Rule)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
