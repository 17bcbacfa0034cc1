package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"example.com/dice/observability/upkeep/internal/dashboard"
)

type alerts struct {
	Groups []struct {
		Rules []struct {
			Alert, Expr string
			Annotations struct{ Summary, Description, Dashboard string }
		}
	}
}

func TestAlerts(t *testing.T) {
	for _, name := range stageNames(t) {
		content, err := os.ReadFile(filepath.Join(root, name, "alerts.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		var got alerts
		if err := yaml.Unmarshal(content, &got); err != nil {
			t.Fatal(err)
		}
		boards, err := dashboard.Read(root, name)
		if err != nil {
			t.Fatal(err)
		}
		links := make(map[string]bool)
		for _, board := range boards {
			links["{{ $externalLabels.grafana }}/d/"+board.UID] = true
		}
		for _, rule := range got.Groups[0].Rules {
			t.Run(name+" "+rule.Alert, func(t *testing.T) {
				checkMetricsAndLabels(t, rule.Expr, declaredSeries(t, name))
				if !links[rule.Annotations.Dashboard] {
					t.Errorf("dashboard %q is none of %v", rule.Annotations.Dashboard, links)
				}
				if rule.Annotations.Summary == "" || !strings.Contains(rule.Annotations.Description, "Look at") {
					t.Errorf("annotations %+v", rule.Annotations)
				}
			})
		}
	}
}
