package stage

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	childcollector "example.com/dice/observability/internal/collector"
)

func (r *Running) startCollector(ctx context.Context) (err error) {
	if r.receiver, err = r.Store.Receive(ctx); err != nil {
		return err
	}
	files := collectorFiles(r.stage.Dir)
	exporters, err := readExporters(files)
	if err != nil {
		return err
	}
	overlay := filepath.Join(r.directory, "overlay.yaml")
	if err := os.WriteFile(overlay, []byte(r.overlay(exporters)), 0o600); err != nil {
		return fmt.Errorf("writing the collector's overlay: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	command := processCommand(self)
	command.Env = environ(childcollector.Variable("file:"+files[0], "file:"+files[1], "file:"+overlay))
	p, err := r.start("the collector", command, nil)
	if err != nil {
		return err
	}
	return p.waitFor(ctx, func(ctx context.Context) error {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", r.stage.OTLP())
		if err == nil {
			err = connection.Close()
		}
		return err
	})
}

// overlay is what differs from the collector in Docker: addresses, the folder of the queue, how soon it
// tells what it derived, and its own metrics and log, for which there is no place here.
func (r *Running) overlay(exporters map[string]exporter) string {
	var addresses strings.Builder
	for _, name := range slices.Sorted(maps.Keys(exporters)) {
		fmt.Fprintf(&addresses, "  %s: {endpoint: %q, compression: none}\n", name, r.local(exporters[name].Endpoint))
	}
	return fmt.Sprintf(`
receivers:
  otlp:
    protocols:
      grpc: {endpoint: %q}
      http: {endpoint: "127.0.0.1:%s"}
exporters:
%s
extensions:
  file_storage: {directory: %[4]q, compaction: {directory: %[4]q}}
connectors:
  span_metrics: {metrics_flush_interval: 500ms}
  service_graph: {metrics_flush_interval: 500ms}
service:
  telemetry:
    metrics: {level: none, readers: []}
    logs: {level: error}
`, r.stage.OTLP(), r.stage.http.number, &addresses, r.directory)
}
