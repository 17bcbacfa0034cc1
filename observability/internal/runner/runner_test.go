package runner

import (
	"os"
	"path/filepath"
	"slices"
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
