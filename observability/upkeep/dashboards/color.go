package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// color gives a series a color, by its name in the legend.
type color struct{ series, color string }

// services returns the color of each service, which is the same on every panel.
func services() []color {
	return []color{{"roll", "blue"}, {"frontend", "purple"}, {"die", "green"}, {"traffic", "orange"}}
}

// calls returns the colors of the edges of the service graph.
func calls(suffix string) []color {
	return []color{
		{"traffic → frontend" + suffix, "orange"},
		{"frontend → roll" + suffix, "blue"},
		{"frontend → die" + suffix, "yellow"},
		{"roll → die" + suffix, "green"},
	}
}

func dice() []color { return []color{{"fair", "green"}, {"risky", "red"}} }

func compared(measured, expected string, hue string) []color {
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

// dash draws series whose names match the pattern as dashed lines without fill, so that lines behind them stay visible.
func dash[P overridable[P]](p P, pattern string) P {
	return p.OverrideByRegexp(pattern, []dashboard.DynamicConfigValue{
		{Id: "custom.lineStyle", Value: map[string]any{"fill": "dash", "dash": []int{10, 10}}},
		{Id: "custom.fillOpacity", Value: 0},
	})
}

func fixed(name string) dashboard.DynamicConfigValue {
	return dashboard.DynamicConfigValue{Id: "color", Value: map[string]any{"mode": "fixed", "fixedColor": name}}
}
