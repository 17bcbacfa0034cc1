package docs

import (
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"
	"github.com/prometheus/prometheus/promql/parser"

	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/upkeep/internal/dashboard"
)

const (
	gridWidth  = 24
	mostPanels = 12
)

func TestDashboards(t *testing.T) {
	for _, name := range stageNames(t) {
		all, err := dashboard.Read(root, name)
		if err != nil {
			t.Fatal(err)
		}
		series := declaredSeries(t, name)
		for _, d := range all {
			t.Run(name+" "+d.Title, func(t *testing.T) {
				if len(d.All()) > mostPanels {
					t.Errorf("%d panels, want at most %d", len(d.All()), mostPanels)
				}
				checkGrid(t, d.Panels)
				for _, panel := range d.All() {
					t.Run(panel.Title, func(t *testing.T) { checkPanel(t, panel, series) })
				}
			})
		}
	}
}

// checkPanel wants all that makes a panel readable, and queries that can have an answer.
func checkPanel(t *testing.T, panel dashboard.Panel, series map[string][]string) {
	t.Helper()
	if !strings.Contains(panel.Description, "?") {
		t.Errorf("the description does not say which question the panel answers: %q", panel.Description)
	}
	if panel.Datasource.UID == "prometheus" && panel.FieldConfig.Defaults.Unit == "" {
		t.Error("no unit")
	}
	for _, target := range panel.Targets {
		switch target.Datasource.UID {
		case "prometheus":
			checkPromQL(t, target.Expr, series)
			if panel.Type == "timeseries" {
				checkEnds(t, target.Expr)
			}
			if target.LegendFormat == "" {
				t.Error("no legend")
			}
			latency := panel.Type == "heatmap" && strings.Contains(target.Expr, "_seconds_") ||
				strings.Contains(target.Expr, "http_") && strings.Contains(target.Expr, "histogram_quantile")
			if latency && !target.Exemplar {
				t.Error("no exemplars")
			}
		case "loki", "usage", "tempo": // their engines parse these: see e2e
		default:
			t.Errorf("data source %q", target.Datasource.UID)
		}
	}
}

// checkPromQL wants a query that parses, uses only declared metrics and labels, and lets Grafana choose windows.
func checkPromQL(t *testing.T, query string, series map[string][]string) {
	t.Helper()
	if strings.Count(query, "[") != strings.Count(query, "[$__rate_interval]") {
		t.Errorf("a window that is not $__rate_interval: %s", query)
	}
	checkMetricsAndLabels(t, dashboard.Window(query), series)
}

// checkEnds wants the series of a process to end with it. Prometheus returns the last value for five minutes, unless it is told
// when a series ended; only the metrics that it scrapes itself do that.
func checkEnds(t *testing.T, query string) {
	t.Helper()
	expression, err := parser.NewParser(parser.Options{}).ParseExpr(dashboard.Window(query))
	if err != nil {
		return // checked elsewhere
	}
	parser.Inspect(expression, func(node parser.Node, path []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok || strings.HasPrefix(selector.Name, "otelcol_") {
			return nil
		}
		if len(path) > 0 {
			_, ok = path[len(path)-1].(*parser.MatrixSelector)
		} else {
			ok = false
		}
		if !ok {
			t.Errorf("%s stays for five minutes after its process has ended", selector)
		}
		return nil
	})
}

func checkMetricsAndLabels(t *testing.T, query string, series map[string][]string) {
	t.Helper()
	expression, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		t.Errorf("%s: %v", query, err)
		return
	}
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			known := labelsOf(n, series)
			if known == nil {
				t.Errorf("no declared metric matches %s", n)
			}
			for _, matcher := range n.LabelMatchers {
				if matcher.Name != model.MetricNameLabel && !slices.Contains(known, matcher.Name) {
					t.Errorf("%s has no label %s", n, matcher.Name)
				}
			}
		case *parser.AggregateExpr:
			for _, label := range n.Grouping {
				if !slices.Contains(labelsOf(n.Expr, series), label) {
					t.Errorf("%s groups by %s, which its metrics lack", n, label)
				}
			}
		case *parser.Call:
			checkCounters(t, n)
		}
		return nil
	})
}

// checkCounters wants rates only of metrics that Prometheus takes for counters by their names. For others, Grafana shows a
// notice on the panel.
func checkCounters(t *testing.T, call *parser.Call) {
	t.Helper()
	if call.Func.Name != "rate" && call.Func.Name != "increase" {
		return
	}
	counter := func(name string) bool {
		return slices.ContainsFunc([]string{"_total", "_sum", "_count", "_bucket"}, func(s string) bool { return strings.HasSuffix(name, s) })
	}
	if s := call.Args[0].(*parser.MatrixSelector).VectorSelector.(*parser.VectorSelector); !counter(s.Name) {
		t.Errorf("%s of %s, which might not be a counter", call.Func.Name, s.Name)
	}
}

// labelsOf returns the labels that all metrics within an expression can have.
func labelsOf(expression parser.Node, series map[string][]string) []string {
	var known []string
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			for _, name := range selected(selector, series) {
				known = append(known, series[name]...)
			}
		}
		return nil
	})
	return known
}

// selected returns the declared metrics that a selector matches.
func selected(selector *parser.VectorSelector, series map[string][]string) []string {
	var names []string
	for name := range series {
		for _, matcher := range selector.LabelMatchers {
			if matcher.Name == model.MetricNameLabel && matcher.Matches(name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// declaredSeries returns the names that Prometheus gives to the declared metrics, each with its labels.
func declaredSeries(t *testing.T, stage string) map[string][]string {
	t.Helper()
	want, err := declared.Read(root, stage)
	if err != nil {
		t.Fatal(err)
	}
	series := make(map[string][]string)
	for _, metric := range want.Metrics {
		own := []string{"job", "instance", "service_name", "service_version"}
		for _, attribute := range append(metric.Always, metric.Maybe...) {
			own = append(own, strings.NewReplacer(".", "_", "-", "_").Replace(attribute))
		}
		for _, name := range prometheusNames(t, metric) {
			series[name] = own
			if strings.HasSuffix(name, "_bucket") {
				series[name] = append(slices.Clone(own), "le")
			}
		}
	}
	for _, metric := range want.Scraped {
		series[metric.Name] = append([]string{"job", "instance"}, metric.Labels...)
	}
	return series
}

func prometheusNames(t *testing.T, metric declared.Metric) []string {
	t.Helper()
	kinds := map[string]otlptranslator.MetricType{
		"sum":         otlptranslator.MetricTypeMonotonicCounter,
		"up-down sum": otlptranslator.MetricTypeNonMonotonicCounter,
		"gauge":       otlptranslator.MetricTypeGauge,
		"histogram":   otlptranslator.MetricTypeHistogram,
	}
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	name, err := namer.Build(otlptranslator.Metric{Name: metric.Name, Unit: metric.Unit, Type: kinds[metric.Type]})
	if err != nil {
		t.Fatal(err)
	}
	if metric.Type == "histogram" {
		return []string{name + "_bucket", name + "_sum", name + "_count"}
	}
	return []string{name}
}

// checkGrid wants panels that fill the grid from left to right and from top to bottom, without overlap.
func checkGrid(t *testing.T, panels []dashboard.Panel) {
	t.Helper()
	taken := make(map[[2]int]string)
	bottom := 0
	for _, panel := range panels {
		for x := panel.GridPos.X; x < panel.GridPos.X+panel.GridPos.W; x++ {
			for y := panel.GridPos.Y; y < panel.GridPos.Y+panel.GridPos.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok {
					t.Fatalf("%q and %q overlap", other, panel.Title)
				}
				taken[[2]int{x, y}] = panel.Title
				bottom = max(bottom, y+1)
			}
		}
		if panel.Type == "row" {
			checkGrid(t, shiftUp(panel.Panels))
		}
	}
	for y := range bottom {
		for x := range gridWidth {
			if _, ok := taken[[2]int{x, y}]; !ok {
				t.Fatalf("nothing at column %d, line %d of the grid", x, y)
			}
		}
	}
}

// shiftUp moves the panels of a row to the top of a grid of their own.
func shiftUp(panels []dashboard.Panel) []dashboard.Panel {
	moved := slices.Clone(panels)
	for i := range moved {
		moved[i].GridPos.Y -= panels[0].GridPos.Y
	}
	return moved
}
