package main

import "github.com/grafana/grafana-foundation-sdk/go/dashboard"

// color gives a series a color, by its name in the legend.
type color struct{ series, color string }

// services have one color each, on every panel.
func services() []color {
	return []color{{"roll", "blue"}, {"frontend", "purple"}, {"die", "green"}, {"traffic", "orange"}}
}

// calls are the edges of the service graph.
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

// overridable is a panel some of whose series can look different from the others.
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

// paintStatuses gives the series whose name ends with an HTTP status code the color of its class.
func paintStatuses[P overridable[P]](p P) P {
	for _, class := range []color{{"2", "green"}, {"3", "blue"}, {"4", "yellow"}, {"5", "red"}} {
		p = p.OverrideByRegexp(`/\b`+class.series+`\d\d$/`, []dashboard.DynamicConfigValue{fixed(class.color)})
	}
	return p
}

// dash draws lines dashed and without a filled area, so that those behind them can be seen. The pattern matches their names.
func dash[P overridable[P]](p P, pattern string) P {
	return p.OverrideByRegexp(pattern, []dashboard.DynamicConfigValue{
		{Id: "custom.lineStyle", Value: map[string]any{"fill": "dash", "dash": []int{10, 10}}},
		{Id: "custom.fillOpacity", Value: 0},
	})
}

func fixed(name string) dashboard.DynamicConfigValue {
	return dashboard.DynamicConfigValue{Id: "color", Value: map[string]any{"mode": "fixed", "fixedColor": name}}
}
