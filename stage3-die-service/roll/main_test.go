package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Providers of all tests: instruments keep to the first ones that are set. Each test brings its own span
// processor, and reads differences of the metrics.
var (
	tracerProvider = sdktrace.NewTracerProvider()
	metricReader   = sdkmetric.NewManualReader()
	meterProvider  = sdkmetric.NewMeterProvider(sdkmetric.WithReader(metricReader))
)

// TestMain runs the service instead of the tests if a test started this binary for that.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_RUN_MAIN") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// startProcess runs the service as a process of its own. Its output is read line by line.
func startProcess(t *testing.T, env ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	process := exec.CommandContext(ctx, os.Args[0])
	process.Env = append(os.Environ(), append(env, "TEST_RUN_MAIN=1", "ADDR=127.0.0.1:0", "DIE_URL="+startDieService(t, standIn).URL)...)
	process.Stderr = os.Stderr
	stdout, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	return process, lines
}

// waitForMessage reads log lines up to the one with this message.
func waitForMessage(t *testing.T, lines *bufio.Scanner, message string) map[string]any {
	t.Helper()
	for lines.Scan() {
		var line map[string]any
		if json.Unmarshal(lines.Bytes(), &line) == nil && line["msg"] == message {
			return line
		}
	}
	t.Fatalf("the service ended without logging %q", message)
	return nil
}

func get(url string, trace *httptrace.ClientTrace) error {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request.WithContext(httptrace.WithClientTrace(request.Context(), trace)))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func TestStopFinishesRequestsAndFlushesTheirTelemetry(t *testing.T) {
	process, lines := startProcess(t, "SEED=3", "MAX_WAIT=3s", "OTEL_TRACES_EXPORTER=console", "OTEL_BSP_SCHEDULE_DELAY=60000")
	url := fmt.Sprintf("http://%s", waitForMessage(t, lines, "listening")["address"])

	sent, replies := make(chan struct{}), make(chan error, 1)
	go func() {
		replies <- get(url+"/roll?die=fair", &httptrace.ClientTrace{
			WroteRequest: func(httptrace.WroteRequestInfo) { close(sent) },
		})
	}()
	select {
	case <-sent:
	case err := <-replies:
		t.Fatalf("the roll could not be sent: %v", err)
	case <-time.After(10 * time.Second):
		t.Fatal("the roll is not sent after 10 s")
	}
	for range 20 { // the service takes connections in order: once it has replied to these, it has the roll
		if err := get(url+"/healthz", &httptrace.ClientTrace{}); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-replies:
		t.Fatal("the roll took no time: choose another SEED")
	default:
	}
	if err := process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}

	if err := <-replies; err != nil {
		t.Errorf("the request under way: %v", err)
	}
	var rest strings.Builder
	for lines.Scan() {
		rest.Write(lines.Bytes())
	}
	for _, name := range []string{`"GET /roll"`, `"roll die"`} {
		if !strings.Contains(rest.String(), name) {
			t.Errorf("span %s was not exported", name)
		}
	}
	if err := process.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
}
