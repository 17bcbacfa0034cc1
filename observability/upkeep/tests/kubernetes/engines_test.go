//go:build e2e

package kubernetes

import (
	"testing"

	"example.com/dice/observability/upkeep/internal/engine"
)

type engines struct{ engine.Engines }

func forwardEngines(t *testing.T) engines {
	t.Helper()
	return engines{engine.Engines{
		Prometheus: forward(t, "prometheus", "9090"), Loki: forward(t, "loki", "3100"), Tempo: forward(t, "tempo", "3200"),
	}}
}
