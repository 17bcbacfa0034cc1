package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/logs"
	"github.com/grafana/grafana-foundation-sdk/go/loki"
	"github.com/grafana/grafana-foundation-sdk/go/table"
)

// column is a column of a table of spans: Grafana's name for its field, its title, and a value that it must have room for.
type column struct{ field, title, widest string }

// Columns that Tempo sends for each span.
var (
	timeColumn     = column{"Start time", "Time", "09:36:54.424"}
	serviceColumn  = column{"service.name", "Service", "frontend"}
	durationColumn = column{"Duration", "Duration", "999.99 ms"}
	traceColumn    = column{"traceIdHidden", "Trace", "849d389f"}
)

// spanColumn is the column with the spans' names.
func spanColumn(title, widest string) column { return column{"Name", title, widest} }

// width is the number of pixels that the column needs. Any column may be the one by which readers sort, so its title has room
// for an arrow.
func (c column) width() int {
	const character, padding, arrow = 8, 14, 20
	return padding + max(character*utf8.RuneCountInString(c.title)+arrow, character*utf8.RuneCountInString(c.widest))
}

// spanTable lists the spans that a TraceQL query finds, each with a link to its trace. The query needs a condition on
// resource.service.name, and must select the attributes of the columns.
func spanTable(title, description, query string, sortBy column, columns ...column) *table.PanelBuilder {
	p := table.NewPanelBuilder().
		Title(title).
		Description(oneLine(description)).
		Datasource(tempoSource()).
		WithTarget(traceQL(query)).
		MinWidth(float64(traceColumn.width())).                            // of the last column, which has no other width
		Footer(common.NewTableFooterOptionsBuilder().Reducer([]string{})). // null by default, which Grafana's types don't allow
		SortBy([]cog.Builder[common.TableSortByFieldState]{
			common.NewTableSortByFieldStateBuilder().DisplayName(sortBy.title).Desc(true),
		})
	titles := make(map[string]string)
	var fields []string
	for _, c := range append(columns, traceColumn) {
		if c.title != c.field {
			titles[c.field] = c.title
		}
		fields = append(fields, c.field)
		var look []dashboard.DynamicConfigValue
		if c == timeColumn {
			look = append(look, dashboard.DynamicConfigValue{Id: "unit", Value: "time:HH:mm:ss.SSS"})
		}
		if c == traceColumn {
			look = append(traceLink(), hidden(false, false)) // the data source hides it
		} else {
			look = append(look, dashboard.DynamicConfigValue{Id: "custom.width", Value: c.width()})
		}
		p.OverrideByName(c.title, look)
	}
	return p.Transformations(only(titles, fields...))
}

// traceLink makes a cell with a trace ID link to the trace. The cell shows only the first characters, because there is no
// room for all of them.
func traceLink() []dashboard.DynamicConfigValue {
	return []dashboard.DynamicConfigValue{
		{Id: "mappings", Value: []any{map[string]any{
			"type":    "regex",
			"options": map[string]any{"pattern": "^(.{8}).*$", "result": map[string]any{"text": "$1"}},
		}}},
		{Id: "links", Value: []any{map[string]any{"title": "Open the trace", "url": traceURL()}}},
	}
}

// traceURL is the Explore URL of the trace whose ID is in the cell.
func traceURL() string {
	const value = "${__value.raw}"
	type object = map[string]any
	panes, err := json.Marshal(object{"trace": object{
		"datasource": "tempo",
		"queries":    []object{{"refId": "A", "datasource": tempoSource(), "queryType": "traceql", "query": value}},
		"range":      object{"from": "now-1h", "to": "now"},
	}})
	if err != nil {
		panic(fmt.Errorf("encoding the query for Grafana: %w", err)) // cannot happen with maps of strings
	}
	query := url.Values{"schemaVersion": {"1"}, "orgId": {"1"}, "panes": {string(panes)}}.Encode()
	return "/explore?" + strings.ReplaceAll(query, url.QueryEscape(value), value)
}

// logPanel lists log records. Grafana breaks a line that is too long anywhere, so the panel needs the whole width of the
// dashboard, and a small font.
func logPanel(
	title, description string, from common.DataSourceRef, query string, order common.LogsSortOrder,
) *logs.PanelBuilder {
	return logs.NewPanelBuilder().
		Title(title).
		Description(oneLine(description)).
		Datasource(from).
		WithTarget(loki.NewDataqueryBuilder().Datasource(from).RefId(refID(0)).QueryType("range").Expr(query)).
		ShowTime(true).
		FontSize(logs.OptionsFontSizeSmall).
		WrapLogMessage(true).
		EnableLogDetails(true).
		SortOrder(order).
		DedupStrategy(common.LogsDedupStrategyNone)
}

// logLine is the end of a LogQL query. It formats each record as one line that says what happened to which die, and which
// service wrote it. Missing attributes are left out. Long lines are broken at a space.
func logLine(stage int) string {
	die, result := "{{with .die_identifier}} · {{.}}{{end}}", "{{with .die_value}} · {{.}}{{end}}"
	if stage >= 4 { // several dice
		die = "{{if .die_identifier}} · {{with or .times .dice_batch_size}}{{.}} × {{end}}{{.die_identifier}}{{end}}"
		result = "{{with or .die_value .dice_batch_total}} · {{.}}{{end}}"
	}
	return " | line_format `{{__line__}}" + die + result +
		"{{if .url_path}} · {{.http_request_method}} {{.url_path}}{{end}}" +
		"{{with .http_response_status_code}} · {{.}}{{end}}" +
		"{{with .traffic_user}} · {{.}}{{end}}" +
		"{{with .exception_message}} · {{.}}{{end}}" +
		" · {{.service_name}}`" +
		" | line_format `{{regexReplaceAll \"(.{60,90}) \" __line__ \"${1}\\n\"}}`"
}
