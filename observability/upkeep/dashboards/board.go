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

// row holds panels of one height, two side by side, so that they are whole at 1280 pixels with Grafana's menu open. One that
// is left over has the whole width, and single numbers share one line. A row with a title is folded: readers see the title and
// open the row to see its panels.
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
	for i := range built.Links {
		built.Links[i].Placement = nil // the SDK's value moves the links into a menu
	}
	return built, err
}

// frame returns the dashboard without panels.
func (b board) frame() *dashboard.DashboardBuilder { //nolint:staticcheck // the older schema, which tools other than Grafana know too
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
		panels, err := r.build()
		if err != nil {
			return nil, nil, err
		}
		var height uint32
		for i := range panels {
			number++
			panels[i].Id = cog.ToPtr(number)
			panels[i].GridPos.Y += y
			numbers[*panels[i].Title] = number
			height = max(height, panels[i].GridPos.Y+r.height-y)
		}
		if r.title == "" {
			for i := range panels {
				all = append(all, dashboard.PanelOrRowPanel{Panel: &panels[i]})
			}
			y += height
			continue
		}
		for i := range panels {
			panels[i].GridPos.Y++ // below the title
		}
		number++
		all = append(all, folded(r.title, number, y, panels))
		y++
	}
	return all, numbers, nil
}

// build returns the row's panels, with their positions in the row.
func (r row) build() ([]dashboard.Panel, error) {
	panels := make([]dashboard.Panel, len(r.panels))
	for i, p := range r.panels {
		built, err := p.Build()
		if err != nil {
			return nil, err
		}
		built.Transparent, built.RepeatDirection = nil, nil // have defaults
		panels[i] = built
	}
	perLine := 2
	if panels[0].Type == "stat" {
		perLine = len(panels)
	}
	for i := range panels {
		width := uint32(gridWidth / perLine)
		at := dashboard.GridPos{X: uint32(i%perLine) * width, Y: uint32(i/perLine) * r.height, W: width, H: r.height}
		if i == len(panels)-1 {
			at.W = gridWidth - at.X
		}
		panels[i].GridPos = &at
	}
	return panels, nil
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
