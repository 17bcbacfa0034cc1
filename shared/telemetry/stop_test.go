package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/dice/shared/telemetry"
)

func TestStopDeliversEverything(t *testing.T) {
	received, url := startReceiver(t)
	setenv(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+url, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc")
	stop := start(t, io.Discard)
	const n = 1000
	for range n {
		work(t.Context())
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := stop(canceled, nil); err != nil {
		t.Fatal(err)
	}
	if spans, records := len(received.spans), len(received.records); spans != n || records != n {
		t.Errorf("received %d spans and %d log records, want %d of each", spans, records, n)
	}
	if !slices.Contains(received.metrics, "go.goroutine.count") {
		t.Errorf("no metrics of the Go runtime among %v", received.metrics)
	}
}

// TestStopIsQuiet stops while metrics are being exported, and wants no complaint about that.
func TestStopIsQuiet(t *testing.T) {
	asked := make(chan struct{}, 1000)
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		time.Sleep(100 * time.Millisecond)
	}))
	defer slow.Close()
	setenv(t, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT="+slow.URL, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "OTEL_METRIC_EXPORT_INTERVAL=500")
	var out console
	stop := start(t, &out)
	<-asked
	if err := stop(t.Context(), nil); err != nil || out.String() != "" {
		t.Errorf("error %v, output %s", err, out.String())
	}
}

// TestMain runs a function instead of the tests if a test started this binary for that.
func TestMain(m *testing.M) {
	if run := map[string]func(){"work": workAndStop, "lose": lose}[os.Getenv("TEST_RUN")]; run != nil {
		run()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// workAndStop does more work than the queues hold, stops, and prints how long each took and what was said.
func workAndStop() {
	var out console
	stop, err := telemetry.Start(context.Background(), "tested", &out)
	if err != nil {
		panic(err)
	}
	begin := time.Now()
	for range 5000 {
		work(context.Background())
	}
	worked := time.Now()
	err = stop(context.Background(), nil)
	_ = json.NewEncoder(os.Stdout).Encode(durations{Work: worked.Sub(begin), Stop: time.Since(worked), Said: fmt.Sprint(err, out.String())})
}

type durations struct {
	Work, Stop time.Duration
	Said       string
}

// TestBadCollectorBlocksNeitherWorkNorStop starts a process for each case before it waits for the first, because they take long.
func TestBadCollectorBlocksNeitherWorkNorStop(t *testing.T) {
	waits := make(map[string]func(t *testing.T) durations)
	for _, protocol := range []string{"grpc", "http/protobuf"} {
		for name, url := range map[string]string{"away": awayURL(t), "hung": hungURL(t)} {
			waits[protocol+" "+name] = startWork(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+url, "OTEL_EXPORTER_OTLP_PROTOCOL="+protocol,
				"OTEL_METRIC_EXPORT_INTERVAL=100", "OTEL_BSP_SCHEDULE_DELAY=10", "OTEL_BLRP_SCHEDULE_DELAY=10",
				"OTEL_EXPORTER_OTLP_TIMEOUT=300000", "OTEL_BSP_EXPORT_TIMEOUT=300000", "OTEL_BLRP_EXPORT_TIMEOUT=300000", "OTEL_METRIC_EXPORT_TIMEOUT=300000")
		}
	}
	for name, wait := range waits {
		t.Run(name, func(t *testing.T) {
			took := wait(t)
			if took.Work > time.Minute || took.Stop > time.Minute { // far less than an export may take
				t.Errorf("work took %s, stop %s", took.Work, took.Stop)
			}
			for _, signal := range []string{"metrics", "logs"} {
				said := strings.Contains(took.Said, "flushing "+signal+": ")
				if name == "http/protobuf away" {
					// Such a server refuses at once: if that was before the stop, the console has it.
					said = said || strings.Contains(took.Said, "/v1/"+signal)
				}
				if !said {
					t.Errorf("nobody said that %s were not delivered: %s", signal, took.Said)
				}
			}
		})
	}
}

// startWork runs workAndStop in a process of its own, because what a stop gives up may go on for a while. The function that it
// returns waits for the end.
func startWork(t *testing.T, variables ...string) (wait func(t *testing.T) durations) {
	t.Helper()
	process, output := startRun(t, "work", variables...)
	return func(t *testing.T) (took durations) {
		t.Helper()
		err := process.Wait()
		if err == nil {
			err = json.Unmarshal(output.Bytes(), &took)
		}
		if err != nil {
			t.Fatal(err)
		}
		return took
	}
}

// startRun starts one of the functions that TestMain knows in a process of its own.
func startRun(t *testing.T, run string, variables ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	setenv(t, append(variables, "TEST_RUN="+run)...)
	var output bytes.Buffer
	process := exec.CommandContext(t.Context(), os.Args[0])
	process.Stdout = &output
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	return process, &output
}

// awayURL is the URL of a port on which nothing listens.
func awayURL(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

// hungURL is the URL of a server that accepts connections and never answers.
func hungURL(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			if _, err := listener.Accept(); err != nil {
				return
			}
		}
	}()
	return "http://" + listener.Addr().String()
}
