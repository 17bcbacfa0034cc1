package docs

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"go.yaml.in/yaml/v3"

	"example.com/dice/observability/upkeep/internal/dashboard"
)

// alerts are the fields of a rule file that we use. Prometheus knows no others by these names.
type alerts struct {
	Groups []struct {
		Name, Interval string
		Rules          []struct {
			Alert, Expr   string
			For           time.Duration
			KeepFiringFor time.Duration `yaml:"keep_firing_for"`
			Labels        map[string]string
			Annotations   map[string]string
		}
	}
}

// TestAlerts wants rules that Prometheus can evaluate, and that are readable in Grafana, whose list shows annotations as they are
// in the file.
func TestAlerts(t *testing.T) {
	for _, name := range stageNames(t) {
		rules := readAlerts(t, name)
		known := dashboardsOf(t, name)
		for _, rule := range rules.Groups[0].Rules {
			t.Run(name+" "+rule.Alert, func(t *testing.T) {
				checkMetricsAndLabels(t, rule.Expr, declaredSeries(t, name))
				if rule.KeepFiringFor == 0 {
					t.Error("it flaps: no keep_firing_for")
				}
				checkAnnotations(t, rule.Annotations, known)
			})
		}
	}
}

// TestAlertsOnCollectors wants the same of the alerts on Kubernetes, whose metrics the test on the cluster checks.
func TestAlertsOnCollectors(t *testing.T) {
	names := stageNames(t)
	known := dashboardsOf(t, names[len(names)-1])
	for _, rule := range readAlerts(t, "observability/kubernetes/base").Groups[0].Rules {
		t.Run(rule.Alert, func(t *testing.T) { checkAnnotations(t, rule.Annotations, known) })
	}
}

func readAlerts(t *testing.T, directory string) (rules alerts) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, directory, "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&rules); err != nil {
		t.Fatal(err)
	}
	return rules
}

// dashboardsOf returns the ids of a stage's dashboards and of the common ones.
func dashboardsOf(t *testing.T, stage string) map[string]bool {
	t.Helper()
	boards, err := dashboard.Read(root, stage)
	if err != nil {
		t.Fatal(err)
	}
	known := make(map[string]bool)
	for _, board := range boards {
		known[board.UID] = true
	}
	return known
}

// checkAnnotations wants a summary whose first half has no template, no template elsewhere, and the dashboard in the annotation
// that Grafana makes a link of.
func checkAnnotations(t *testing.T, annotations map[string]string, dashboards map[string]bool) {
	t.Helper()
	summary := annotations["summary"]
	functions := template.FuncMap{"humanizePercentage": func(float64) string { return "" }}
	if _, err := template.New("").Funcs(functions).Parse("{{$value := 0.5}}{{$labels := .}}" + summary); err != nil {
		t.Error(err)
	}
	if summary == "" || !strings.Contains(annotations["description"], "Look at") {
		t.Errorf("annotations %+v", annotations)
	}
	if at := strings.Index(summary, "{{"); at >= 0 && at < len(summary)/2 {
		t.Errorf("unreadable in the list: %s", summary)
	}
	for name, value := range annotations {
		if name != "summary" && strings.Contains(value, "{{") {
			t.Errorf("a template in %s: %s", name, value)
		}
	}
	if uid := annotations["__dashboardUid__"]; !dashboards[uid] {
		t.Errorf("dashboard %q is none of %v", uid, dashboards)
	}
}
