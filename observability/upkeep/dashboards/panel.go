package main

import (
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/barchart"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/nodegraph"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/tempo"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// perSecond is the unit of a rate: "spans" makes "spans/s".
func perSecond(what string) string { return "count:" + what + "/s" }

// count is the unit of numbers of things: 1302 is "1,302", not "1.30 K".
const count = units.LocaleFormat

// softMax is the end of the axis while all values are below it. Without it, the axis would go up to 100 if all values are
// zero.
func softMax(unit string) float64 {
	switch unit {
	case units.PercentUnit:
		return 0.1
	case units.Seconds:
		return 0.001
	case units.BytesIEC, units.BytesPerSecondIEC:
		return 1 << 20
	default:
		return 1
	}
}

// oneLine removes the line breaks and indentation that a text has in the code.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// timeSeries draws the results of PromQL queries as lines.
func timeSeries(title, description, unit string, queries ...query) *timeseries.PanelBuilder {
	return lines(title, description, unit).Datasource(prometheusSource()).Targets(promQL(queries...))
}

// perService draws a line for each service, in its color.
func perService(title, description, unit, expr string) *timeseries.PanelBuilder {
	return paint(timeSeries(title, description, unit, query{expr: expr, legend: "{{service_name}}"}), services()...)
}

// lines is a panel of lines without queries, whose axis begins at zero.
func lines(title, description, unit string) *timeseries.PanelBuilder {
	return freeLines(title, description, unit).Min(0).AxisSoftMax(softMax(unit)).FillOpacity(10)
}

// freeLines is a panel of lines without queries, whose axis Grafana chooses.
func freeLines(title, description, unit string) *timeseries.PanelBuilder {
	return timeseries.NewPanelBuilder().
		Title(title).
		Description(oneLine(description)).
		Unit(unit).
		DrawStyle(common.GraphDrawStyleLine).
		LineWidth(2).
		ShowPoints(common.VisibilityModeNever).
		Legend(legend()).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
}

// stacked draws the series on top of one another.
func stacked(p *timeseries.PanelBuilder) *timeseries.PanelBuilder {
	return p.FillOpacity(60).Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal).Group("A"))
}

// parts draws stacked shares that add up to 100 %.
func parts(title, description string, queries ...query) *timeseries.PanelBuilder {
	return stacked(timeSeries(title, description, units.PercentUnit, queries...)).Max(1).AxisSoftMax(1)
}

// logarithmic draws the results of PromQL queries whose magnitudes differ. Its axis has no zero to which an area could be filled.
func logarithmic(title, description, unit string, queries ...query) *timeseries.PanelBuilder {
	return freeLines(title, description, unit).
		Datasource(prometheusSource()).
		Targets(promQL(queries...)).
		ScaleDistribution(common.NewScaleDistributionConfigBuilder().Type(common.ScaleDistributionLog).Log(10))
}

// columns draws a column for each interval, with the series on top of one another. A point counts what was before it, so that is
// where its column stands, and the newest one is whole.
func columns(p *timeseries.PanelBuilder) *timeseries.PanelBuilder {
	return stacked(p).DrawStyle(common.GraphDrawStyleBars).BarAlignment(common.BarAlignmentBefore)
}

func legend() *common.VizLegendOptionsBuilder {
	return common.NewVizLegendOptionsBuilder().
		DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom).ShowLegend(true)
}

// heatMap draws a Prometheus histogram over time. Its exemplars are points that link to traces.
func heatMap(title, description, unit, buckets string, exemplars bool) *heatmap.PanelBuilder {
	target := prometheus.NewDataqueryBuilder().Datasource(prometheusSource()).RefId(refID(0)).
		Range().Format(prometheus.PromQueryFormatHeatmap).Exemplar(exemplars).
		Expr(sumRate(buckets, "le")).LegendFormat("{{le}}")
	return heatmap.NewPanelBuilder().
		Title(title).
		Description(oneLine(description)).
		Datasource(prometheusSource()).
		WithTarget(target).
		Unit(units.RequestsPerSecond). // of a cell
		Color(heatmap.NewHeatmapColorOptionsBuilder().
			Mode(heatmap.HeatmapColorModeScheme).Scheme("Blues").Steps(64).Exponent(0.5).Fill("dark-blue")).
		YAxis(heatmap.NewYAxisConfigBuilder().Unit(unit).AxisPlacement(common.AxisPlacementLeft)).
		RowsFrame(heatmap.NewRowsHeatmapOptionsBuilder().Layout(common.HeatmapCellLayoutAuto)).
		ExemplarsColor("orange").
		Tooltip(heatmap.NewHeatmapTooltipBuilder().Mode(common.TooltipDisplayModeSingle)).
		HideLegend()
}

// bars draws a bar for each row of a table. The unit is for the bars; without the override, Grafana would also use it for
// the categories below them.
func bars(title, description, unit, category string) *barchart.PanelBuilder {
	return barchart.NewPanelBuilder().
		Title(title).
		Description(oneLine(description)).
		Unit(unit).
		Min(0).
		FillOpacity(80).
		Orientation(common.VizOrientationVertical).
		BarWidth(0.9).
		GroupWidth(0.7).
		ShowValue(common.VisibilityModeNever).
		XTickLabelMaxLength(100). // 0 by default, which makes each label "…"
		Legend(legend()).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderNone)).
		OverrideByName(category, []dashboard.DynamicConfigValue{
			{Id: "unit", Value: "string"},
			{Id: "custom.axisPlacement", Value: "auto"},
		})
}

// number shows a single number for the dashboard's whole time range, from a query of the usage records.
func number(title, description, logQuery string) *stat.PanelBuilder {
	return stat.NewPanelBuilder().
		Title(title).
		Description(oneLine(description)).
		Datasource(usageSource()).
		Targets(logQL(usageSource(), "instant", query{expr: logQuery})).
		Unit(count).
		Min(0).
		NoValue("0").
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdFixed).FixedColor("purple")).
		GraphMode(common.BigValueGraphModeNone).
		TextMode(common.BigValueTextModeValue).
		ReduceOptions(common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"}))
}

// serviceGraph draws which service calls which.
func serviceGraph(title, description string) *nodegraph.PanelBuilder {
	return nodegraph.NewPanelBuilder().
		Title(title).
		Description(oneLine(description)).
		Datasource(tempoSource()).
		WithTarget(tempo.NewDataqueryBuilder().Datasource(tempoSource()).RefId(refID(0)).QueryType("serviceMap"))
}

// transform is a step between the data source's response and the panel.
func transform(id string, options map[string]any) dashboard.DataTransformerConfig {
	return dashboard.DataTransformerConfig{Id: id, Options: options}
}

// only keeps these fields of a table, in this order, and renames those in names.
func only(names map[string]string, fields ...string) []dashboard.DataTransformerConfig {
	order := make(map[string]any)
	for i, field := range fields {
		order[field] = i
	}
	return []dashboard.DataTransformerConfig{
		transform("filterFieldsByName", map[string]any{"include": map[string]any{"names": fields}}),
		transform("organize", map[string]any{"indexByName": order, "renameByName": names}),
	}
}
