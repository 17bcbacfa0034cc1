package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/barchart"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/logs"
	"github.com/grafana/grafana-foundation-sdk/go/loki"
	"github.com/grafana/grafana-foundation-sdk/go/nodegraph"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/tempo"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"

	"example.com/dice/observability/internal/stages"
)

const root = "../../.."

// TestFiles wants exactly the files that this code writes.
func TestFiles(t *testing.T) {
	want, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	const again = "run `go generate ./observability/upkeep/dashboards`"
	for path, content := range want {
		got, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("%v: %s", err, again)
		} else if string(got) != content {
			t.Errorf("%s is not what the code writes: %s", path, again)
		}
		others, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range others {
			if _, ok := want[other]; !ok {
				t.Errorf("%s is not written by this code", other)
			}
		}
	}
}

// TestFilesFitGrafana reads each file with Grafana's own types, which refuse fields that they do not know.
func TestFilesFitGrafana(t *testing.T) {
	runtime := cog.NewRuntime()
	runtime.RegisterPanelcfgVariant(barchart.VariantConfig())
	runtime.RegisterPanelcfgVariant(heatmap.VariantConfig())
	runtime.RegisterPanelcfgVariant(logs.VariantConfig())
	runtime.RegisterPanelcfgVariant(nodegraph.VariantConfig())
	runtime.RegisterPanelcfgVariant(stat.VariantConfig())
	runtime.RegisterPanelcfgVariant(table.VariantConfig())
	runtime.RegisterPanelcfgVariant(timeseries.VariantConfig())
	runtime.RegisterDataqueryVariant(loki.VariantConfig())
	runtime.RegisterDataqueryVariant(prometheus.VariantConfig())
	runtime.RegisterDataqueryVariant(tempo.VariantConfig())
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range files {
		var got dashboard.Dashboard //nolint:staticcheck // see board.go
		// The error is a list, which is empty if all is well.
		if err := got.UnmarshalJSONStrict([]byte(content)); err != nil && err.Error() != "" {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestAlerts wants each alert of a stage to be marked on a dashboard of the stage, and no other.
func TestAlerts(t *testing.T) {
	all, err := stages.All(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, stage := range all {
		rules, err := os.ReadFile(filepath.Join(stage.Directory, "alerts.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		defined, marked := make(map[string]bool), make(map[string]bool)
		for _, match := range regexp.MustCompile(`(?m)^\s*- alert: (\w+)$`).FindAllStringSubmatch(string(rules), -1) {
			defined[match[1]] = true
		}
		for _, b := range boards(stage.Number) {
			for _, a := range b.alerts {
				marked[a.rule] = true
				if !defined[a.rule] {
					t.Errorf("%s: dashboard %s marks %s, which is no alert", stage.Name, b.title, a.rule)
				}
			}
		}
		for rule := range defined {
			if !marked[rule] {
				t.Errorf("%s: no dashboard marks %s", stage.Name, rule)
			}
		}
		if len(defined) == 0 {
			t.Errorf("%s: no alerts", stage.Name)
		}
	}
}

// TestInstanceName wants a line of its own for each pod, and a short name for any other instance.
func TestInstanceName(t *testing.T) {
	pattern, err := strconv.Unquote(`"` + instanceName + `"`) // as PromQL does
	if err != nil {
		t.Fatal(err)
	}
	whole := regexp.MustCompile("^(?s:" + pattern + ")$")
	for id, want := range map[string]string{
		"dice.roll-6d4cf56db6-x7k2p.roll":      "roll-6d4cf56db6-x7k2p",
		"dice.roll-6d4cf56db6-9qwzt.roll":      "roll-6d4cf56db6-9qwzt",
		"dice.roll.roll":                       "roll",
		"627cc493-f310-47de-96bd-71410b7dec09": "627cc493",
		"roll-1.example.com":                   "roll-1.e",
		"short":                                "short",
	} {
		got := id // a label that the pattern doesn't match stays as it is
		if whole.MatchString(id) {
			got = whole.ReplaceAllString(id, "$1$2")
		}
		if got != want {
			t.Errorf("%s is shown as %q, want %q", id, got, want)
		}
	}
}

// TestTraceURL wants Grafana to find the variable in the address, and the rest of the address to be encoded.
func TestTraceURL(t *testing.T) {
	got := traceURL()
	before, after, _ := strings.Cut(got, "%22query%22%3A%22${__value.raw}%22")
	if before == got || strings.ContainsAny(before+after, `"{} `) {
		t.Error(got)
	}
}
