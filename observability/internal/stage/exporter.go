package stage

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// exporter is what one has to know of an exporter of the collector.
type exporter struct {
	Endpoint string
	Headers  map[string]string
}

// collectorFiles returns the common configuration of the collector, and what a stage adds to it.
func collectorFiles(dir string) []string {
	return []string{
		filepath.Join(dir, "..", "observability", "collector", "config.yaml"),
		filepath.Join(dir, "collector.yaml"),
	}
}

// readExporters returns the exporters of all files that have an endpoint, by their names.
func readExporters(files []string) (map[string]exporter, error) {
	all := make(map[string]exporter)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading the collector's configuration: %w", err)
		}
		var config struct{ Exporters map[string]exporter }
		if err := yaml.Unmarshal(content, &config); err != nil {
			return nil, fmt.Errorf("reading the collector's configuration: %s: %w", file, err)
		}
		maps.DeleteFunc(config.Exporters, func(_ string, e exporter) bool { return e.Endpoint == "" })
		maps.Copy(all, config.Exporters)
	}
	return all, nil
}

// Tenants returns the tenants of Loki that the collector of a stage sends to, in order.
func Tenants(root, name string) ([]string, error) {
	exporters, err := readExporters(collectorFiles(filepath.Join(root, name)))
	if err != nil {
		return nil, err
	}
	tenants := make(map[string]bool)
	for _, e := range exporters {
		if tenant := e.Headers["X-Scope-OrgID"]; tenant != "" {
			tenants[tenant] = true
		}
	}
	return slices.Sorted(maps.Keys(tenants)), nil
}

// local returns the address of the receiver that stands in for Tempo, Prometheus or Loki.
func (r *Running) local(endpoint string) string {
	return strings.NewReplacer(
		"http://tempo:4318", r.receiver.Tempo,
		"http://prometheus:9090/api/v1/otlp", r.receiver.Prometheus,
		"http://loki:3100/otlp", r.receiver.Loki,
	).Replace(endpoint)
}
