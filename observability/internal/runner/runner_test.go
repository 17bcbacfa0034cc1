package runner

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/process"
)

func TestMain(m *testing.M) {
	process.RunIfChild()
	os.Exit(m.Run())
}

func TestEnvironment(t *testing.T) {
	t.Setenv("OTEL_SERVICE_NAME", "another")
	service := compose.Service{
		Environment: []string{"DATABASE=/var/lib/dice/dice.db", "GRAFANA_URL=http://localhost:3000", "LATENCY=0s"},
		Volumes:     map[string]string{"/var/lib/dice": "database"},
		Port:        compose.Port{Number: "8082"},
	}
	got := environment(service, "/tmp/volumes")
	want := []string{"DATABASE=/tmp/volumes/database/dice.db", "LATENCY=0s", "OTEL_METRIC_EXPORT_INTERVAL=500", "ADDR=127.0.0.1:8082"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if slices.Contains(inherited(), "OTEL_SERVICE_NAME=another") {
		t.Error("a service inherits OTEL_SERVICE_NAME")
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestTemporary wants the directory that the go command uses, because programs may not be executable in others.
func TestTemporary(t *testing.T) {
	for _, name := range []string{"TMPDIR", "GOTMPDIR"} { // the second takes precedence
		parent := t.TempDir()
		t.Setenv(name, parent)
		if got, err := Temporary(t.Context()); err != nil || filepath.Dir(got) != parent {
			t.Errorf("%s=%s: %s, %v", name, parent, got, err)
		}
	}
}

// TestStartSaysWhatToDo tries to execute a file where that is forbidden.
func TestStartSaysWhatToDo(t *testing.T) {
	r := &Runner{stage: &compose.Stage{Services: []compose.Service{{Name: "roll"}}}, directory: t.TempDir()}
	write(t, filepath.Join(r.directory, "roll"), "")
	err := r.StartService(t.Context(), "roll")
	if want := "permission denied: set GOTMPDIR to a directory in which programs may be executed"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
	if got := ByService(err); len(got) > 0 {
		t.Errorf("%v is to blame", got)
	}
}
