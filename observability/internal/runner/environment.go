package runner

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.com/dice/observability/internal/compose"
)

// environment returns the variables of a service's process. Volumes are subdirectories of the directory volumes.
func environment(service compose.Service, volumes string) []string {
	var own []string
	for _, variable := range service.Environment {
		for mounted, volume := range service.Volumes {
			variable = strings.Replace(variable, "="+mounted+"/", "="+filepath.Join(volumes, volume)+"/", 1)
		}
		if !strings.HasPrefix(variable, "GRAFANA_URL=") { // there is no Grafana to link to
			own = append(own, variable)
		}
	}
	own = append(own, "OTEL_METRIC_EXPORT_INTERVAL=500") // ms; so that the last values arrive sooner
	if service.Port.Number != "" {
		own = append(own, "ADDR="+service.Port.Address())
	}
	return own
}

// inherited returns this process's environment without the OTEL_ variables, because the stage sets these.
func inherited() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(variable, "OTEL_") })
}
