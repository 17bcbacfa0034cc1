package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// What fits at 1280 pixels with Grafana's menu open, which leaves 1050.
const (
	longestTitle = 36  // characters
	halfWidth    = 487 // pixels in a panel of half the width
	wholeWidth   = 1000
	mostSeries   = 8 // in a legend
	legendLines  = 2
)

// look holds what rules about the look of a dashboard need to know of its file.
type look struct {
	Title  string
	Links  []map[string]any
	Panels []panelLook
}

type panelLook struct {
	Type, Title, Description string
	GridPos                  struct{ X, W int }
	FieldConfig              struct {
		Defaults struct {
			Unit, NoValue string
			Min, Max      *float64
			Custom        map[string]any
		}
		Overrides []override
	}
	Options struct {
		XTickLabelMaxLength *int
		ShowValue, FontSize string
		WrapLogMessage      bool
		Stacking            string
		SortBy              []struct{ DisplayName string }
	}
	Targets         []struct{ Expr, LegendFormat string }
	Transformations []struct {
		ID      string
		Options struct {
			RenameByName map[string]string
			Include      struct{ Names []string }
			Sort         []struct{ Desc bool }
		}
	}
	Panels []panelLook // of a folded row
}

type override struct {
	Matcher struct {
		ID      string
		Options any
	}
	Properties []struct {
		ID    string
		Value any
	}
}

// matches says whether the override is for this field.
func (o override) matches(field string) bool {
	pattern, ok := o.Matcher.Options.(string)
	if !ok {
		return false
	}
	if o.Matcher.ID == "byRegexp" {
		return regexp.MustCompile(strings.Trim(pattern, "/")).MatchString(field)
	}
	return pattern == field
}

// property returns the value that the overrides give to a property of a field. As in Grafana, the last one counts.
func (p panelLook) property(field, id string) any {
	var value any
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if o.matches(field) && property.ID == id {
				value = property.Value
			}
		}
	}
	return value
}

// named returns the fields that have an override by name.
func (p panelLook) named() []string {
	var all []string
	for _, o := range p.FieldConfig.Overrides {
		if name, ok := o.Matcher.Options.(string); ok && o.Matcher.ID == "byName" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// defects returns what is wrong with the look of a dashboard.
func (l look) defects() []string {
	var all []string
	for _, link := range l.Links {
		if link["placement"] != nil {
			all = append(all, "the links to the other dashboards are hidden in a menu")
		}
	}
	for _, p := range l.Panels {
		panels := []panelLook{p}
		if p.Type == "row" {
			panels = p.Panels
		}
		for _, p := range panels {
			for _, defect := range p.defects() {
				all = append(all, fmt.Sprintf("%s: %s", p.Title, defect))
			}
		}
	}
	return all
}

func (p panelLook) defects() []string {
	all := p.frameDefects()
	for kind, rules := range map[string]func(panelLook) []string{
		"timeseries": panelLook.lineDefects,
		"barchart":   panelLook.barDefects,
		"table":      panelLook.tableDefects,
		"logs":       panelLook.logDefects,
	} {
		if p.Type == kind {
			all = append(all, rules(p)...)
		}
	}
	return append(append(all, p.legendDefects()...), p.colorDefects()...)
}

func (p panelLook) frameDefects() []string {
	var all []string
	if utf8.RuneCountInString(p.Title) > longestTitle {
		all = append(all, "the title is too long")
	}
	if p.Type != "stat" && p.GridPos.W < gridWidth/2 {
		all = append(all, "narrower than half of the dashboard: labels of the axes are cut off")
	}
	switch unit := p.FieldConfig.Defaults.Unit; unit {
	case "cps", "cpm":
		all = append(all, "the unit says nothing")
	case "short":
		all = append(all, "the unit abbreviates numbers: 1302 is 1.30 K")
	}
	return all
}

func (p panelLook) lineDefects() []string {
	var all []string
	custom := p.FieldConfig.Defaults.Custom
	softMax, _ := custom["axisSoftMax"].(float64)
	scale, _ := custom["scaleDistribution"].(map[string]any)
	switch {
	case scale["type"] == "log":
		if p.FieldConfig.Defaults.Min != nil {
			all = append(all, "a logarithmic axis has no zero")
		}
	case softMax == 0 || p.FieldConfig.Defaults.Unit == "percentunit" && softMax > 1:
		all = append(all, "without a soft maximum, zeros are drawn on an axis up to 100")
	}
	for _, target := range p.Targets {
		var constant float64
		if _, err := fmt.Sscanf(target.Expr, "vector(%g)", &constant); err != nil {
			continue
		}
		if p.property(target.LegendFormat, "custom.fillOpacity") != 0.0 {
			all = append(all, "the area below "+target.LegendFormat+" is filled")
		}
		if softMax < 1.5*constant {
			all = append(all, target.LegendFormat+" is at the upper edge")
		}
	}
	if custom["drawStyle"] == "bars" {
		if stacking, _ := custom["stacking"].(map[string]any); stacking["mode"] != "normal" {
			all = append(all, "columns hide one another")
		}
		if custom["barAlignment"] != -1.0 {
			all = append(all, "the last column is cut off")
		}
	}
	return all
}

func (p panelLook) barDefects() []string {
	var all []string
	if n := p.Options.XTickLabelMaxLength; n != nil && *n < 20 {
		all = append(all, "labels are cut off")
	}
	if p.Options.ShowValue != "never" {
		if p.Options.Stacking != "none" {
			all = append(all, "numbers are in the segment of another series")
		}
		if p.FieldConfig.Defaults.Custom["axisPlacement"] != "hidden" {
			all = append(all, "the last label of the axis is cut off, and the bars have numbers")
		}
		if !p.ranked() {
			all = append(all, "not sorted by value")
		}
	}
	return all
}

// ranked reports whether the largest value is at the top.
func (p panelLook) ranked() bool {
	for _, t := range p.Transformations {
		if t.ID == "sortBy" && len(t.Options.Sort) > 0 {
			return t.Options.Sort[0].Desc
		}
	}
	return false
}

// tableDefects wants columns that have room for their titles, with the arrow of a sorted one, in the width of the panel.
func (p panelLook) tableDefects() []string {
	const character, around, arrow, other = 7.5, 14, 18, 110 // pixels; a column without a width
	var all []string
	total := 0.0
	for _, t := range p.Transformations {
		for _, field := range t.Options.Include.Names {
			title := p.title(field)
			width, ok := p.property(title, "custom.width").(float64)
			if !ok {
				width = other
			}
			total += width
			if width < character*float64(utf8.RuneCountInString(title))+around+arrow {
				all = append(all, "the title "+title+" is cut off when readers sort by it")
			}
			if hide, _ := p.property(title, "custom.hideFrom").(map[string]any); field == traceColumn.field && hide["viz"] != false {
				all = append(all, "the data source hides the column "+title)
			}
		}
	}
	if available := map[bool]float64{true: wholeWidth, false: halfWidth}[p.GridPos.W == gridWidth]; total > available {
		all = append(all, fmt.Sprintf("the columns need %v pixels of %v", total, available))
	}
	if strings.HasPrefix(p.Title, "Recent") && p.Options.SortBy[0].DisplayName != timeColumn.title {
		all = append(all, "sorted by "+p.Options.SortBy[0].DisplayName+", though the title says Recent")
	}
	return all
}

// title is the name that a transformation gives to a field.
func (p panelLook) title(field string) string {
	for _, t := range p.Transformations {
		if title, ok := t.Options.RenameByName[field]; ok {
			return title
		}
	}
	return field
}

func (p panelLook) logDefects() []string {
	var all []string
	if p.Options.FontSize != "small" || !p.Options.WrapLogMessage || p.GridPos.W < gridWidth {
		all = append(all, "lines are broken within words")
	}
	if len(p.Targets) > 0 && !strings.Contains(p.Targets[0].Expr, "line_format") {
		all = append(all, "bare messages")
	}
	return all
}

// legendDefects wants few entries, as far as they are known without data.
func (p panelLook) legendDefects() []string {
	if p.Type != "timeseries" {
		return nil
	}
	const symbol, character = 38, 6.5 // pixels
	entries, width := 0, 0.0
	for _, name := range p.named() {
		if hide, _ := p.property(name, "custom.hideFrom").(map[string]any); hide["legend"] != true {
			entries++
			width += symbol + character*float64(utf8.RuneCountInString(name))
		}
	}
	available := map[bool]float64{true: wholeWidth, false: halfWidth}[p.GridPos.W == gridWidth]
	if entries > mostSeries || width > legendLines*available {
		return []string{"the legend is too long"}
	}
	return nil
}

// Colors that stand for a status, and the series that have one.
var (
	statusColors = regexp.MustCompile(`(green|yellow|red)$`)
	statuses     = regexp.MustCompile(`[1-5](xx|\d\d|\\d\\d\$/)$|^(failed|canceled)$`)
)

func (p panelLook) colorDefects() []string {
	var all []string
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			value, _ := property.Value.(map[string]any)
			hue, _ := value["fixedColor"].(string)
			series, _ := o.Matcher.Options.(string)
			failures := strings.HasPrefix(p.Title, "Failed ") // the measured ones
			if property.ID == "color" && statusColors.MatchString(hue) && !statuses.MatchString(series) && !failures {
				all = append(all, series+" has the color of a status")
			}
		}
	}
	return all
}

func readLook(t *testing.T, content string) (l look) {
	t.Helper()
	if err := json.Unmarshal([]byte(content), &l); err != nil {
		t.Fatal(err)
	}
	return l
}

// TestLook wants dashboards that are legible at 1280 pixels with Grafana's menu open.
func TestLook(t *testing.T) {
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range files {
		for _, defect := range readLook(t, content).defects() {
			t.Errorf("%s: %s", path, defect)
		}
	}
}

// TestDefects wants the rules to find each of the defects that have been seen.
func TestDefects(t *testing.T) {
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	last := filepath.Join(root, "stage6-usage", "dashboards")
	tests := []struct {
		file, panel string // without a panel, the dashboard itself
		spoil       func(l *look, p *panelLook)
		want        string
	}{
		{"roll", "", func(l *look, _ *panelLook) { l.Links[0]["placement"] = "inControlsMenu" }, "hidden in a menu"},
		{"roll", "Recent failed rolls", func(_ *look, p *panelLook) { p.remove("Trace", "custom.hideFrom") }, "hides the column Trace"},
		{"roll", "Recent failed rolls", func(_ *look, p *panelLook) { p.set("Duration", "custom.width", 80.0) }, "Duration is cut off"},
		{"roll", "Recent failed rolls", func(_ *look, p *panelLook) { p.set("Die", "custom.width", 200.0) }, "the columns need"},
		{"batches", "Recent batches of more than 5 dice", func(_ *look, p *panelLook) { p.Options.SortBy[0].DisplayName = "Duration" }, "sorted by Duration"},
		{"roll", "Observed vs expected faces", func(_ *look, p *panelLook) { *p.Options.XTickLabelMaxLength = 0 }, "labels are cut off"},
		{"roll", "Failure rate by die", func(_ *look, p *panelLook) { p.remove("risky, expected", "custom.fillOpacity") }, "is filled"},
		{"roll", "Failure rate by die", func(_ *look, p *panelLook) { p.FieldConfig.Defaults.Custom["axisSoftMax"] = 0.1 }, "upper edge"},
		{"roll", "Error rate", func(_ *look, p *panelLook) { delete(p.FieldConfig.Defaults.Custom, "axisSoftMax") }, "up to 100"},
		{"roll", "Error rate", func(_ *look, p *panelLook) { p.GridPos.W = 8 }, "labels of the axes"},
		{"roll", "Error rate", func(_ *look, p *panelLook) { p.FieldConfig.Defaults.Unit = "cps" }, "says nothing"},
		{"roll", "Error rate", func(_ *look, p *panelLook) { p.Title = strings.Repeat("e", longestTitle+1) }, "too long"},
		{"roll", "Log records", func(_ *look, p *panelLook) { p.Options.FontSize = "" }, "within words"},
		{"roll", "Log records", func(_ *look, p *panelLook) { p.GridPos.W = 12 }, "within words"},
		{"roll", "Log records", func(_ *look, p *panelLook) { p.Targets[0].Expr = "{}" }, "bare messages"},
		{"usage", "Runs", func(_ *look, p *panelLook) { p.FieldConfig.Defaults.Unit = "short" }, "1.30 K"},
		{"usage", "Runs over time by die", func(_ *look, p *panelLook) { delete(p.FieldConfig.Defaults.Custom, "stacking") }, "hide one another"},
		{"usage", "Runs over time by die", func(_ *look, p *panelLook) { delete(p.FieldConfig.Defaults.Custom, "barAlignment") }, "last column"},
		{"usage", "Runs by user and die", func(_ *look, p *panelLook) { p.Options.Stacking = "normal" }, "another series"},
		{"usage", "Runs by user and die", func(_ *look, p *panelLook) { p.Transformations = nil }, "not sorted by value"},
		{"usage", "Dice rolled by user", func(_ *look, p *panelLook) { delete(p.FieldConfig.Defaults.Custom, "axisPlacement") }, "last label"},
		{"usage", "Runs over time by die", func(_ *look, p *panelLook) { p.recolor("risky", "red") }, "risky has the color of a status"},
		{"pipeline", "Received telemetry", func(_ *look, p *panelLook) { p.recolor("log records", "semi-dark-green") }, "color of a status"},
		{"dependencies", "Call rate: sent vs received", func(_ *look, p *panelLook) { p.remove("frontend → die, received", "custom.hideFrom") }, "legend is too long"},
		{"dependencies", "p95 latency at the client", func(_ *look, p *panelLook) { p.FieldConfig.Defaults.Min = new(float64) }, "no zero"},
	}
	for _, test := range tests {
		t.Run(test.panel+" "+test.want, func(t *testing.T) {
			path := filepath.Join(last, test.file+".json")
			if test.file == "pipeline" {
				path = filepath.Join(root, "observability", "grafana", "dashboards", "pipeline.json")
			}
			l := readLook(t, files[path])
			i := slices.IndexFunc(l.Panels, func(p panelLook) bool { return p.Title == test.panel })
			var p *panelLook
			if i >= 0 {
				p = &l.Panels[i]
			} else if test.panel != "" {
				t.Fatalf("no panel %q", test.panel)
			}
			test.spoil(&l, p)
			found := l.defects()
			if !slices.ContainsFunc(found, func(defect string) bool { return strings.Contains(defect, test.want) }) {
				t.Errorf("found %q, want %q", found, test.want)
			}
		})
	}
}

// remove takes a property from all overrides for a field.
func (p *panelLook) remove(field, id string) {
	for i, o := range p.FieldConfig.Overrides {
		for j, property := range o.Properties {
			if o.matches(field) && property.ID == id {
				p.FieldConfig.Overrides[i].Properties[j].ID = "removed"
			}
		}
	}
}

// set changes a property in all overrides for a field that have it.
func (p *panelLook) set(field, id string, value any) {
	for i, o := range p.FieldConfig.Overrides {
		for j, property := range o.Properties {
			if o.matches(field) && property.ID == id {
				p.FieldConfig.Overrides[i].Properties[j].Value = value
			}
		}
	}
}

func (p *panelLook) recolor(series, hue string) {
	p.set(series, "color", map[string]any{"fixedColor": hue})
}

// TestExplained wants descriptions to explain what would otherwise look wrong.
func TestExplained(t *testing.T) {
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ file, panel, why string }{
		{"journey", "Service graph", "the traffic generator has none"},
		{"journey", "Failed calls: client vs server", "export at different times"},
		{"journey", "p95 latency: client vs server", "export at different times"},
		{"dependencies", "Error rate: client vs server", "export at different times"},
		{"dependencies", "p95 latency at the client", "logarithmic"},
		{"dependencies", "Roll duration by component", "logarithmic"},
		{"batches", "Rolls in flight", "every five seconds"},
		{"database", "Driver operations", "left out"},
	} {
		l := readLook(t, files[filepath.Join(root, "stage6-usage", "dashboards", test.file+".json")])
		i := slices.IndexFunc(l.Panels, func(p panelLook) bool { return p.Title == test.panel })
		if i < 0 || !strings.Contains(l.Panels[i].Description, test.why) {
			t.Errorf("%s: %s does not say %q", test.file, test.panel, test.why)
		}
	}
}
