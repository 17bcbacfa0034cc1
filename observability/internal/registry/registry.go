// Package registry knows the names of the semantic conventions, version 1.43.0: attributes, metrics, and names that were
// renamed or removed.
package registry

import (
	_ "embed" // the tables
	"strings"
)

// Version is that of the semantic conventions.
const Version = "1.43.0"

// The tables are made from github.com/open-telemetry/semantic-conventions, tag v1.43.0. A test compares them with the Go package.
var (
	//go:embed attributes.txt
	attributeTable string // name, type, level; the name may end in ".*"

	//go:embed metrics.txt
	metricTable string // name, unit, instrument; those of applications

	//go:embed renamed.txt
	renamedTable string // attribute or metric, old name, version, new name or "-" if it was removed
)

// Level is where the conventions use an attribute.
type Level int

// Resource and Signal are the levels of attributes that are used nowhere else: on resources, which entities describe, or on spans,
// metrics and log records. Any is the level of those that are used on both, or whose use the conventions leave open.
const (
	Any Level = iota
	Resource
	Signal
)

// Attribute is a registered attribute. Its type is string, int, double, bool, any, string[] or int[].
type Attribute struct {
	Type  string
	Level Level
}

// Metric is a registered metric.
type Metric struct{ Unit, Instrument string }

// Renamed is what became of a name. New is empty if there is no replacement. It may be a phrase.
type Renamed struct{ New, Since string }

var (
	attributes        = make(map[string]Attribute)
	templates         = make(map[string]Attribute) // by the name without ".*"
	metrics           = make(map[string]Metric)
	renamedAttributes = make(map[string]Renamed)
	renamedMetrics    = make(map[string]Renamed)
)

func init() {
	levels := map[string]Level{"resource": Resource, "signal": Signal}
	for fields := range rows(attributeTable) {
		attribute := Attribute{Type: fields[1], Level: levels[fields[2]]}
		if name, ok := strings.CutSuffix(fields[0], ".*"); ok {
			templates[name] = attribute
		} else {
			attributes[fields[0]] = attribute
		}
	}
	for fields := range rows(metricTable) {
		metrics[fields[0]] = Metric{Unit: fields[1], Instrument: fields[2]}
	}
	for fields := range rows(renamedTable) {
		name := strings.Join(fields[3:], " ")
		if name == "-" {
			name = ""
		}
		table := renamedAttributes
		if fields[0] == "metric" {
			table = renamedMetrics
		}
		table[fields[1]] = Renamed{New: name, Since: fields[2]}
	}
}

// rows returns the words of each line.
func rows(table string) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		for line := range strings.Lines(table) {
			if !yield(strings.Fields(line)) {
				return
			}
		}
	}
}

// FindAttribute returns a registered attribute. Those with a variable last part, such as http.request.header.accept, are
// registered too.
func FindAttribute(name string) (Attribute, bool) {
	if found, ok := attributes[name]; ok {
		return found, true
	}
	for prefix := name; ; {
		dot := strings.LastIndexByte(prefix, '.')
		if dot < 0 {
			return Attribute{}, false
		}
		prefix = prefix[:dot]
		if found, ok := templates[prefix]; ok {
			return found, true
		}
	}
}

// FindMetric returns a registered metric.
func FindMetric(name string) (Metric, bool) {
	found, ok := metrics[name]
	return found, ok
}

// RenamedAttribute returns what became of an attribute that was renamed or removed.
func RenamedAttribute(name string) (Renamed, bool) {
	found, ok := renamedAttributes[name]
	return found, ok
}

// RenamedMetric returns what became of a metric that was renamed or removed.
func RenamedMetric(name string) (Renamed, bool) {
	found, ok := renamedMetrics[name]
	return found, ok
}
