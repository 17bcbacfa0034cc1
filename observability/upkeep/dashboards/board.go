package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

const gridWidth = 24 // columns

// board is a dashboard whose panels have no position yet.
type board struct {
	uid, title string
	variables  []cog.Builder[dashboard.VariableModel]
	alerts     []alert
	rows       []row
}

// row holds panels of one size, which fill the width of the dashboard. A row with a title is folded: readers see the title
// and open the row to see its panels.
type row struct {
	title  string
	height uint32
	panels []panel
}

type panel = cog.Builder[dashboard.Panel]

// alert names an alert rule and the panel that shows when it fired.
type alert struct{ rule, panel string }

// file is a dashboard as Grafana reads it. Without it, the SDK would write the panel numbers of an annotation as base64,
// because it declares them as bytes.
type file struct {
	dashboard.Dashboard
	Annotations annotations `json:"annotations"`
}

type annotations struct {
	List []annotation `json:"list"`
}

type annotation struct {
	dashboard.AnnotationQuery
	Filter panelFilter `json:"filter"`
}

type panelFilter struct {
	Exclude bool     `json:"exclude"`
	IDs     []uint32 `json:"ids"`
}

// build returns the dashboard in the form that Grafana reads.
func (b board) build() (file, error) {
	panels, numbers, err := place(b.rows)
	if err != nil {
		return file{}, err
	}
	built := file{Annotations: annotations{List: []annotation{}}}
	for _, a := range b.alerts {
		number, ok := numbers[a.panel]
		if !ok {
			return file{}, fmt.Errorf("alert %s: there is no panel %q", a.rule, a.panel)
		}
		query, err := a.query().Build()
		if err != nil {
			return file{}, err
		}
		built.Annotations.List = append(built.Annotations.List, annotation{query, panelFilter{IDs: []uint32{number}}})
	}
	built.Dashboard, err = b.frame().Build()
	built.Panels = panels
	return built, err
}

// frame returns the dashboard without panels.
func (b board) frame() *dashboard.DashboardBuilder { //nolint:staticcheck // Grafana 12 cannot be provisioned with files of the newer schema
	link := dashboard.NewDashboardLinkBuilder("Dice").
		Type(dashboard.DashboardLinkTypeDashboards).
		Tags([]string{"dice"}).
		KeepTime(true)
	builder := dashboard.NewDashboardBuilder(b.title) //nolint:staticcheck // as above
	return builder.
		Uid(b.uid).
		Tags([]string{"dice"}).
		Readonly().
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Time("now-5m", "now"). // the traffic lasts three minutes
		Refresh("10s").        // not more often: each refresh closes the tooltip that somebody is about to click
		Variables(b.variables).
		Link(link)
}

// query marks the time during which the alert fired.
func (a alert) query() *dashboard.AnnotationQueryBuilder {
	return dashboard.NewAnnotationQueryBuilder().
		Name(a.rule).
		Datasource(prometheusSource()).
		Enable(true).
		Hide(true). // no switch for it at the top of the dashboard
		IconColor("red").
		TitleFormat("{{alertname}} fired").
		Target(prometheus.NewDataqueryBuilder().
			RefId("Anno").
			Expr(fmt.Sprintf(`ALERTS{alertname=%q,alertstate="firing"}`, a.rule)).
			Interval("5s")) // how often Prometheus evaluates the rules
}

// place gives each panel a number and a position, from left to right and top to bottom. It returns the numbers by title.
func place(rows []row) (all []dashboard.PanelOrRowPanel, numbers map[string]uint32, err error) {
	numbers = make(map[string]uint32)
	var number, y uint32
	for _, r := range rows {
		top := y
		if r.title != "" {
			top++
		}
		panels := make([]dashboard.Panel, len(r.panels))
		for i, p := range r.panels {
			number++
			width := gridWidth / uint32(len(r.panels))
			placed, err := p.Build()
			if err != nil {
				return nil, nil, err
			}
			placed.Id = cog.ToPtr(number)
			placed.GridPos = &dashboard.GridPos{X: uint32(i) * width, Y: top, W: width, H: r.height}
			placed.Transparent, placed.RepeatDirection = nil, nil // have defaults
			numbers[*placed.Title] = number
			panels[i] = placed
		}
		if r.title == "" {
			for i := range panels {
				all = append(all, dashboard.PanelOrRowPanel{Panel: &panels[i]})
			}
			y += r.height
			continue
		}
		number++
		all = append(all, folded(r.title, number, y, panels))
		y++
	}
	return all, numbers, nil
}

func folded(title string, number, y uint32, panels []dashboard.Panel) dashboard.PanelOrRowPanel {
	return dashboard.PanelOrRowPanel{RowPanel: &dashboard.RowPanel{
		Type:      "row",
		Title:     &title,
		Collapsed: true,
		Id:        number,
		GridPos:   &dashboard.GridPos{Y: y, W: gridWidth, H: 1},
		Panels:    panels,
	}}
}
