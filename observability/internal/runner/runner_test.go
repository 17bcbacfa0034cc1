package runner

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/internal/compose"
)

func TestCheckPortsNamesTheFirstThatIsTaken(t *testing.T) {
	var numbers [3]string
	for i := range numbers {
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		_, numbers[i], _ = net.SplitHostPort(listener.Addr().String())
	}
	stage := &compose.Stage{
		OTLPGRPC: compose.Port{Number: numbers[0], Variable: "OTLP_GRPC_PORT"},
		OTLPHTTP: compose.Port{Number: numbers[1], Variable: "OTLP_HTTP_PORT"},
		Services: []compose.Service{{Name: "roll", Port: compose.Port{Number: numbers[2], Variable: "ROLL_PORT"}}},
	}
	want := "port " + numbers[0] + " of the collector (OTLP over gRPC) is in use: stop the program that uses it, or set OTLP_GRPC_PORT to another port"
	if err := checkPorts(t.Context(), stage); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
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

// TestBuildTakesTheSourceOfAService builds one service from a directory of its own, and another from the stage's.
func TestBuildTakesTheSourceOfAService(t *testing.T) {
	dir, elsewhere, into := t.TempDir(), t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/stage\n")
	write(t, filepath.Join(dir, "die", "main.go"), "package main\n\nfunc main() {}\n")
	write(t, filepath.Join(elsewhere, "go.mod"), "module example.com/elsewhere\n")
	write(t, filepath.Join(elsewhere, "main.go"), "package main\n\nfunc main() { panic(\"from elsewhere\") }\n")
	t.Setenv("GOWORK", "off")
	stage := &compose.Stage{Name: "stage", Dir: dir, Services: []compose.Service{
		{Name: "die", Source: filepath.Join(dir, "die")},
		{Name: "roll", Source: elsewhere},
	}}
	if err := build(t.Context(), stage, into); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"die", "roll"} {
		p, err := startProcess(name, newCommand(filepath.Join(into, name)), nil)
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-p.done:
		case <-time.After(time.Minute):
			t.Fatalf("%s still runs", name)
		}
		if fromElsewhere := strings.Contains(string(p.output.buf), "from elsewhere"); fromElsewhere != (name == "roll") {
			t.Errorf("%s: %s", name, p.output.buf)
		}
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

// TestWaitUntil wants the last line of a process that exits before it is ready.
func TestWaitUntil(t *testing.T) {
	p, err := startProcess("sh", newCommand("/bin/false"), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = p.waitUntil(t.Context(), func(context.Context) error { return context.DeadlineExceeded })
	if want := "sh exited: exit status 1: no output"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
