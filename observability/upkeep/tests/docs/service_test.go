package docs

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/dice/observability/internal/readme"
	"example.com/dice/observability/internal/store"
)

// TestOwnService builds a service outside of the repository from the words of the section about one's own service, sends it a request, and
// interrupts it. Its span and its record must arrive, although both wait for longer than the service lives.
func TestOwnService(t *testing.T) {
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close() // the service takes the port
	program := buildOwnService(t, address)
	var received store.Store
	receiver, err := received.Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer receiver.Close()
	var output bytes.Buffer
	command := exec.CommandContext(t.Context(), program)
	command.Stdout, command.Stderr = &output, &output
	command.Env = append(os.Environ(), "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "OTEL_BSP_SCHEDULE_DELAY=60000", "OTEL_BLRP_SCHEDULE_DELAY=60000",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+receiver.Tempo+"/v1/traces", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="+receiver.Loki+"/v1/logs")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "http://"+address+"/hello")
	if err := command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, &output)
	}
	if !slices.ContainsFunc(received.Spans(), func(s store.Span) bool { return s.Service == "mine" && s.Kind == "server" }) {
		t.Errorf("no server span has arrived: %+v\n%s", received.Spans(), &output)
	}
	if !slices.ContainsFunc(received.Records(), func(r store.Record) bool { return r.Message == "hello" && r.TraceID != "" }) {
		t.Errorf("no record with a trace has arrived: %+v\n%s", received.Records(), &output)
	}
}

// buildOwnService returns a program that consists of the package that the section says to copy, and of its lines of Go. It listens at address.
func buildOwnService(t *testing.T, address string) string {
	t.Helper()
	text, err := readme.Read(filepath.Join(root, "stage1-roll", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(text.Blocks, func(b readme.Block) bool { return b.Section == "In your own service" && b.Language == "go" })
	if i < 0 {
		t.Fatal("the section has no Go code")
	}
	directory := t.TempDir()
	files, err := filepath.Glob(filepath.Join(root, "shared", "telemetry", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.HasSuffix(file, "_test.go") {
			copyFile(t, file, filepath.Join(directory, "telemetry", filepath.Base(file)), "example.com/dice", "example.org/mine")
		}
	}
	copyFile(t, filepath.Join(root, "shared", "go.mod"), filepath.Join(directory, "go.mod"), "module example.com/dice/shared", "module example.org/mine")
	copyFile(t, filepath.Join(root, "shared", "go.sum"), filepath.Join(directory, "go.sum"), "", "")
	const begin = `package main

import (
	"context"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"example.org/mine/telemetry"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
)

func main() {
	http.HandleFunc("GET /hello", func(_ http.ResponseWriter, r *http.Request) { slog.InfoContext(r.Context(), "hello") })
	flush, err := telemetry.Start(context.Background(), "mine", os.Stdout)
	if err != nil {
		log.Fatal(err)
	}
`
	code := strings.Replace(text.Blocks[i].Text, "localhost:8090", address, 1)
	if err := os.WriteFile(filepath.Join(directory, "main.go"), []byte(begin+code+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", "service", ".")
	build.Dir, build.Env = directory, append(os.Environ(), "GOWORK=off")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return filepath.Join(directory, "service")
}

// copyFile copies a file with a text replaced.
func copyFile(t *testing.T, from, to, old, replacement string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if old != "" {
		content = bytes.ReplaceAll(content, []byte(old), []byte(replacement))
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// waitFor waits until a URL returns 200.
func waitFor(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		response, err := http.Get(url)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not answer: %v", url, err)
		}
	}
}
