// Package dashboard reads those parts of Grafana dashboards that tests check.
package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Dashboard is one dashboard.
type Dashboard struct {
	File       string `json:"-"`
	UID, Title string
	Panels     []Panel
	Templating struct{ List []Variable }
}

// Variable is a variable that queries of a dashboard refer to.
type Variable struct{ Name, Query string } // Query is the default value of a text box

// Panel is one panel. One of type "row" may hold further panels.
type Panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               Datasource
	GridPos                  struct{ X, Y, W, H int }
	FieldConfig              FieldConfig
	Targets                  []Target
	Panels                   []Panel
}

// FieldConfig is how a panel shows its fields.
type FieldConfig struct {
	Defaults  struct{ Unit string }
	Overrides []struct {
		Properties []struct {
			ID    string
			Value json.RawMessage
		}
	}
}

// Datasource refers to a data source.
type Datasource struct{ Type, UID string }

// Target is one query of a panel.
type Target struct {
	Datasource   Datasource
	Expr         string // PromQL or LogQL
	Query        string // TraceQL
	QueryType    string // of Tempo: "traceql", or "serviceMap" for the service graph
	LegendFormat string
	Exemplar     bool
	Raw          json.RawMessage `json:"-"` // the whole query, with all fields
}

// UnmarshalJSON reads a query.
func (t *Target) UnmarshalJSON(content []byte) error {
	type fields Target // without this method
	t.Raw = slices.Clone(content)
	return json.Unmarshal(content, (*fields)(t))
}

// Read reads the dashboards of one stage, and those that all stages share.
func Read(root, stage string) ([]Dashboard, error) {
	var all []Dashboard
	for _, folder := range []string{
		filepath.Join(root, stage, "dashboards"),
		filepath.Join(root, "observability", "grafana", "dashboards"),
	} {
		files, err := filepath.Glob(filepath.Join(folder, "*.json"))
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("no dashboards in %s: %w", folder, err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			d := Dashboard{File: file}
			if err := json.NewDecoder(bytes.NewReader(content)).Decode(&d); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			all = append(all, d)
		}
	}
	return all, nil
}

// All returns all panels that show something, including those within rows.
func (d Dashboard) All() []Panel {
	var all []Panel
	for _, panel := range d.Panels {
		if panel.Type == "row" {
			all = append(all, panel.Panels...)
			continue
		}
		all = append(all, panel)
	}
	return all
}

// TraceLink returns the address, without the host, to which the tables of spans link the trace with this ID. It is empty if there is
// no such table.
func (d Dashboard) TraceLink(id string) string {
	for _, panel := range d.All() {
		for _, override := range panel.FieldConfig.Overrides {
			for _, property := range override.Properties {
				var links []struct{ URL string }
				if property.ID == "links" && json.Unmarshal(property.Value, &links) == nil && len(links) > 0 {
					return strings.ReplaceAll(links[0].URL, "${__value.raw}", id)
				}
			}
		}
	}
	return ""
}

// Window replaces $__rate_interval, $__auto and $__range with the values Grafana uses for a scrape interval of 5 s and the
// usual time range.
func Window(expression string) string {
	return strings.NewReplacer("$__rate_interval", "20s", "$__auto", "30s", "$__range", "5m").Replace(expression)
}

// Expand returns the query that Grafana sends to the data source: with a window, and with the variables' defaults.
// For the service graph, it is a query for the metrics from which the graph is drawn.
func (d Dashboard) Expand(target Target) (source, query string) {
	if target.QueryType == "serviceMap" {
		return "prometheus", "traces_service_graph_request_total"
	}
	query = Window(target.Expr) + target.Query
	for _, variable := range d.Templating.List {
		query = strings.ReplaceAll(query, "$"+variable.Name, variable.Query)
	}
	return target.Datasource.UID, query
}
