package runner

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"example.com/dice/observability/internal/collector"
	"example.com/dice/observability/internal/process"
)

func (r *Runner) startCollector(ctx context.Context) (err error) {
	if r.receiver, err = r.Store.Receive(ctx); err != nil {
		return err
	}
	files := []string{ // later files are merged over earlier ones, as in Docker
		filepath.Join(r.stage.Dir, "..", "observability", "collector", "config.yaml"),
		filepath.Join(r.stage.Dir, "collector.yaml"),
		filepath.Join(r.directory, "overlay.yaml"),
	}
	endpoints, err := readEndpoints(files[:2]...)
	if err != nil {
		return err
	}
	if err := os.WriteFile(files[2], []byte(r.overlay(endpoints)), 0o600); err != nil {
		return fmt.Errorf("writing the collector's overlay: %w", err)
	}
	command, err := process.Self()
	if err != nil {
		return err
	}
	command.Env = append(inherited(), collector.Variable("file:"+files[0], "file:"+files[1], "file:"+files[2]))
	if r.collector, err = process.StartSelf("the collector", command, nil); err != nil {
		return err
	}
	return r.collector.WaitUntil(ctx, func(ctx context.Context) error {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", r.stage.OTLPGRPC.Address())
		if err == nil {
			err = connection.Close()
		}
		return err
	})
}

// readEndpoints returns the endpoints of the exporters in all files, by the exporters' names.
func readEndpoints(files ...string) (map[string]string, error) {
	endpoints := make(map[string]string)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading the collector's configuration: %w", err)
		}
		var config struct {
			Exporters map[string]struct{ Endpoint string }
		}
		if err := yaml.Unmarshal(content, &config); err != nil {
			return nil, fmt.Errorf("reading the collector's configuration: %s: %w", file, err)
		}
		for name, exporter := range config.Exporters {
			if exporter.Endpoint != "" {
				endpoints[name] = exporter.Endpoint
			}
		}
	}
	return endpoints, nil
}

// overlay is the part of the configuration that differs from Docker: the collector's addresses, the directory of its queue, and how soon it
// sends derived metrics. Its own metrics and logs are switched off, because nothing reads them here.
func (r *Runner) overlay(endpoints map[string]string) string {
	stores := strings.NewReplacer(
		"http://tempo:4318", r.receiver.Tempo,
		"http://prometheus:9090/api/v1/otlp", r.receiver.Prometheus,
		"http://loki:3100/otlp", r.receiver.Loki,
	)
	var exporters strings.Builder
	for _, name := range slices.Sorted(maps.Keys(endpoints)) {
		fmt.Fprintf(&exporters, "  %s: {endpoint: %q, compression: none}\n", name, stores.Replace(endpoints[name]))
	}
	return fmt.Sprintf(`
receivers:
  otlp:
    protocols:
      grpc: {endpoint: %q}
      http: {endpoint: %q}
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
`, r.stage.OTLPGRPC.Address(), r.stage.OTLPHTTP.Address(), &exporters, strings.ReplaceAll(r.directory, "$", "$$")) // $$ is $ to the collector
}
