package stage

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"

	childcollector "example.com/dice/observability/internal/collector"
)

func (r *Running) startCollector(ctx context.Context) (err error) {
	if r.receiver, err = r.Store.Receive(ctx); err != nil {
		return err
	}
	overlay := filepath.Join(r.directory, "overlay.yaml")
	if err := os.WriteFile(overlay, []byte(r.overlay()), 0o600); err != nil {
		return fmt.Errorf("writing the collector's overlay: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	command := processCommand(self)
	command.Env = environ(childcollector.Variable(
		"file:"+filepath.Join(r.stage.Dir, "..", "observability", "collector", "config.yaml"),
		"file:"+filepath.Join(r.stage.Dir, "collector.yaml"),
		"file:"+overlay,
	))
	p, err := r.start("the collector", command, nil)
	if err != nil {
		return err
	}
	return p.waitFor(ctx, func(ctx context.Context) error {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+r.stage.grpc.number)
		if err == nil {
			err = connection.Close()
		}
		return err
	})
}

// overlay is what differs from the collector in Docker: addresses, the folder of the queue, how soon it
// tells what it derived, and its own metrics and log, for which there is no place here.
func (r *Running) overlay() string {
	return fmt.Sprintf(`
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "127.0.0.1:%s"}
      http: {endpoint: "127.0.0.1:%s"}
exporters:
  otlp_grpc/tempo: {endpoint: %q, compression: none}
  otlp_http/prometheus: {endpoint: %q, compression: none}
  otlp_http/loki: {endpoint: %q, compression: none}
extensions:
  file_storage: {directory: %[6]q, compaction: {directory: %[6]q}}
connectors:
  span_metrics: {metrics_flush_interval: 500ms}
  service_graph: {metrics_flush_interval: 500ms}
service:
  telemetry:
    metrics: {level: none, readers: []}
    logs: {level: error}
`, r.stage.grpc.number, r.stage.http.number, r.receiver.Tempo, r.receiver.Prometheus, r.receiver.Loki, r.directory)
}
