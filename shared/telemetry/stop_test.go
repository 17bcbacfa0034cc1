package telemetry_test

import (
	"context"
	"io"
	"net"
	"slices"
	"testing"
	"time"
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
	if err := stop(canceled); err != nil {
		t.Fatal(err)
	}
	if spans, records := len(received.spans), len(received.records); spans != n || records != n {
		t.Errorf("received %d spans and %d log records, want %d of each", spans, records, n)
	}
	if !slices.Contains(received.metrics, "go.goroutine.count") {
		t.Errorf("no metrics of the Go runtime among %v", received.metrics)
	}
}

func TestBadCollectorBlocksNeitherWorkNorStop(t *testing.T) {
	for _, protocol := range []string{"grpc", "http/protobuf"} {
		for name, url := range map[string]string{"away": awayURL(t), "hung": hungURL(t)} {
			t.Run(protocol+" "+name, func(t *testing.T) {
				setenv(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+url, "OTEL_EXPORTER_OTLP_PROTOCOL="+protocol,
					"OTEL_METRIC_EXPORT_INTERVAL=100", "OTEL_BSP_SCHEDULE_DELAY=10", "OTEL_BLRP_SCHEDULE_DELAY=10")
				stop := start(t, io.Discard)

				begin := time.Now()
				for range 5000 { // more than the queues hold
					work(t.Context())
				}
				if took := time.Since(begin); took > 5*time.Second {
					t.Errorf("the work took %s", took)
				}

				begin = time.Now()
				err := stop(t.Context())
				if took := time.Since(begin); took > 4*time.Second {
					t.Errorf("the stop took %s, want 3 s at most", took)
				}
				if err == nil {
					t.Error("the stop reports success although nothing was delivered")
				}
			})
		}
	}
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
