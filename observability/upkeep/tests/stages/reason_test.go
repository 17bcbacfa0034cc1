package stages

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestReasonOfTheEndIsInTheBackend ends each service of each stage by an error, and wants it in a log record, and as the only
// line on the terminal.
func TestReasonOfTheEndIsInTheBackend(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { busy.Close() })
	for _, name := range stageNames(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stage := load(t, name)
			programs := services.build(t, stage)
			for service, program := range programs {
				busyAddr := []string{"ADDR=" + busy.Addr().String(), "DATABASE=" + filepath.Join(t.TempDir(), "dice.db")}
				checkReason(t, service, program, slices.Concat(withoutTelemetry(stage.Service(service).Environment), busyAddr), "address already in use")
			}
			if die := programs["die"]; die != "" {
				checkReason(t, "die", die, []string{"DICE_FILE=nowhere.json"}, "open nowhere.json: no such file or directory")
			}
		})
	}
}

// checkReason runs a service that cannot work. All that it sends to /v1/logs is searched for the reason.
func checkReason(t *testing.T, service, program string, environment []string, reason string) {
	t.Helper()
	var mu sync.Mutex
	var records bytes.Buffer
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/v1/logs" {
			_, _ = io.Copy(&records, r.Body)
		}
	}))
	defer collector.Close()
	said := runAndFail(t, program, append(environment, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL))
	if !strings.HasPrefix(said, service+": ") || !strings.HasSuffix(said, reason+"\n") || strings.Count(said, "\n") != 1 {
		t.Errorf("%s says %q", service, said)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{"program failed", reason} {
		if !strings.Contains(records.String(), want) {
			t.Errorf("%s: no log record with %q", service, want)
		}
	}
}
