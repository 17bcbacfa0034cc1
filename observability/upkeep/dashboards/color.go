package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// color gives a series a color, by its name in the legend.
type color struct{ series, color string }

// Green, yellow and red stand for a status: a success, the caller's mistake, a failure. Nothing else has these colors.
const (
	teal = "#29B6C6"
	pink = "#E36BB4"
)

// services returns the color of each service, which is the same on every panel.
func services() []color {
	return []color{{"roll", "blue"}, {"frontend", "purple"}, {"die", teal}, {"traffic", "orange"}}
}

// calls returns the colors of the edges of the service graph.
func calls(suffix string) []color {
	return []color{
		{"traffic → frontend" + suffix, "orange"},
		{"frontend → roll" + suffix, "blue"},
		{"frontend → die" + suffix, "light-purple"},
		{"roll → die" + suffix, teal},
	}
}

func dice() []color { return []color{{"fair", "light-blue"}, {"risky", pink}} }

func compared(measured, expected, hue string) []color {
	return []color{{measured, hue}, {expected, "text"}}
}

// overridable is a panel whose series can have individual styles.
type overridable[P any] interface {
	OverrideByName(name string, properties []dashboard.DynamicConfigValue) P
	OverrideByRegexp(pattern string, properties []dashboard.DynamicConfigValue) P
}

// paint gives series their colors.
func paint[P overridable[P]](p P, colors ...color) P {
	for _, c := range colors {
		p = p.OverrideByName(c.series, []dashboard.DynamicConfigValue{fixed(c.color)})
	}
	return p
}

// paintStatuses colors series whose names end with an HTTP status code by the class of the code.
func paintStatuses[P overridable[P]](p P) P {
	for _, class := range []color{{"2", "green"}, {"3", "blue"}, {"4", "yellow"}, {"5", "red"}} {
		p = p.OverrideByRegexp(`/\b`+class.series+`\d\d$/`, []dashboard.DynamicConfigValue{fixed(class.color)})
	}
	return p
}

// withoutFill draws a series without an area below it.
func withoutFill[P overridable[P]](p P, series string) P {
	return p.OverrideByName(series, []dashboard.DynamicConfigValue{{Id: "custom.fillOpacity", Value: 0}})
}

// dash draws series whose names match the pattern as dashed lines without fill, so that lines behind them stay visible.
func dash[P overridable[P]](p P, pattern string) P {
	return p.OverrideByRegexp(pattern, []dashboard.DynamicConfigValue{
		{Id: "custom.lineStyle", Value: map[string]any{"fill": "dash", "dash": []int{10, 10}}},
		{Id: "custom.fillOpacity", Value: 0},
	})
}

// unlisted leaves series whose names match the pattern out of the legend.
func unlisted[P overridable[P]](p P, pattern string) P {
	return p.OverrideByRegexp(pattern, []dashboard.DynamicConfigValue{hidden(false, true)})
}

// hidden says where a field is hidden: in the panel itself, or in its legend.
func hidden(viz, legend bool) dashboard.DynamicConfigValue {
	return dashboard.DynamicConfigValue{Id: "custom.hideFrom", Value: map[string]any{"viz": viz, "legend": legend, "tooltip": false}}
}

func fixed(name string) dashboard.DynamicConfigValue {
	return dashboard.DynamicConfigValue{Id: "color", Value: map[string]any{"mode": "fixed", "fixedColor": name}}
}
