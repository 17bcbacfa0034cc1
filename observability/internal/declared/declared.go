// Package declared reads the declaration of a stage's telemetry, and compares it with the telemetry that the stage emitted.
package declared

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"example.com/dice/observability/internal/store"
)

// Telemetry is the content of a stage's telemetry.yaml.
type Telemetry struct {
	SchemaURL string `yaml:"schema_url"` // of the project's own scopes
	Resource  []string
	Types     map[string]Type // of attributes; all others are strings
	Calls     []Call
	Spans     []Span
	Metrics   []Metric
	Logs      []Log
	Scraped   []Scraped
	// SDKMetrics says whether the SDK reports metrics about itself.
	SDKMetrics bool `yaml:"sdk_metrics"`
}

// own is the prefix of scopes that have the schema URL and a version.
const own = "example.com/dice/"

// Type is the type of an attribute. A string may have a list of allowed values.
type Type struct {
	Name   string // string, int, double or bool
	Values []string
}

// UnmarshalYAML accepts the name of a type, or a list of values.
func (t *Type) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		t.Name = node.Value
		return nil
	}
	t.Name = "string"
	return node.Decode(&t.Values)
}

// Call declares that one service calls another, and how often per roll and per user.
type Call struct {
	Client, Server string
	ForEachRoll    int `yaml:"for_each_roll"`
	ForEachUser    int `yaml:"for_each_user"`
}

// Count returns how many of these calls a run of the traffic generator makes.
func (c Call) Count(rolls, users int) int { return c.ForEachRoll*rolls + c.ForEachUser*users }

// Scraped declares a metric that Prometheus scrapes, by its name in Prometheus.
type Scraped struct {
	Name   string
	Labels []string
}

// Attributes are the names of required and of optional attributes.
type Attributes struct {
	Always []string            `yaml:"attributes"`
	Maybe  []string            `yaml:"optional_attributes"`
	Values map[string][]string // the allowed values of some of them
}

// Names is one name or a list of them.
type Names []string

// UnmarshalYAML accepts a string or a list.
func (n *Names) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*n = Names{node.Value}
		return nil
	}
	return node.Decode((*[]string)(n))
}

// Span declares all spans with this name, of this service and scope.
type Span struct {
	Name, Service, Scope, Kind string
	Parent                     Names // the parent's, or "none"
	Status                     Names // allowed in addition to unset
	Optional                   bool
	Attributes                 `yaml:",inline"`
}

// every stands for all services of the stage.
const every = "*"

// Metric declares a metric of the listed services. If no services are listed, the collector creates it.
type Metric struct {
	Name, Scope, Type, Unit string
	Service                 []string
	Bounds                  []float64 // of a histogram's buckets
	Optional                bool
	Attributes              `yaml:",inline"`
}

// Log declares all log records with this message, of this service and scope. An event has a name too.
type Log struct {
	Message, Service, Scope, Level string
	Event                          string
	Optional                       bool
	Attributes                     `yaml:",inline"`
}

// Read reads the declaration of a stage, and adds that of the telemetry common to all stages.
func Read(root, stage string) (Telemetry, error) {
	var declared, derived Telemetry
	if err := read(filepath.Join(root, stage, "telemetry.yaml"), &declared); err != nil {
		return declared, err
	}
	if err := read(filepath.Join(root, "observability", "telemetry.yaml"), &derived); err != nil {
		return declared, err
	}
	declared.Metrics = append(declared.Metrics, derived.Metrics...)
	declared.Scraped = derived.Scraped
	for name, t := range derived.Types {
		declared.Types[name] = t
	}
	return declared, nil
}

func read(file string, into *Telemetry) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	decoder := yaml.NewDecoder(f)
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// Compare returns one line for each difference between the declaration and the store.
func (t Telemetry) Compare(s *store.Store) []string {
	found := newFindings()
	t.compareSpans(s.Spans(), found)
	t.compareMetrics(s.Points(), found)
	t.compareLogs(s.Records(), found)
	t.findMissing(found)
	return found.differences()
}

// findMissing finds declared telemetry that was not seen in any comparison.
func (t Telemetry) findMissing(found *findings) {
	for _, span := range t.Spans {
		found.want(span.Optional, "span", span.Service, span.Name)
	}
	for _, metric := range t.Metrics {
		found.want(metric.Optional, "metric", "", metric.Name)
		for _, service := range metric.Service {
			if service == every {
				continue
			}
			found.want(metric.Optional, "metric", service, metric.Name)
		}
	}
	for _, log := range t.Logs {
		found.want(log.Optional, "log record", log.Service, log.Message)
	}
}

func (t Telemetry) compareSpans(spans []store.Span, found *findings) {
	names := make(map[string]string)
	for _, span := range spans {
		names[span.ID] = span.Name
	}
	for _, got := range spans {
		what := fmt.Sprintf("span %q of %s in scope %s", got.Name, got.Service, got.Scope)
		i := slices.IndexFunc(t.Spans, func(want Span) bool {
			return want.Name == got.Name && want.Service == got.Service && want.Scope == got.Scope && want.Kind == got.Kind
		})
		if i < 0 {
			found.undeclared(what + ", kind " + got.Kind)
			continue
		}
		want := t.Spans[i]
		found.saw("span", got.Service, got.Name)
		parent := "none"
		if name, ok := names[got.Parent]; ok {
			parent = name
		}
		if parent != "none" || got.Kind != "server" { // a caller need not be traced
			found.oneOf(what, "parent", parent, want.Parent)
		}
		status := "unset"
		if got.Failed {
			status = "error"
		}
		found.oneOf(what, "status", status, append(Names{"unset"}, want.Status...))
		found.attributes(what, got.Attributes, want.Attributes)
		found.attributes(what+", resource", got.Resource, Attributes{Always: t.Resource})
		t.compareDetails(what, got.Scope, got.Origin, got.Attributes, got.Types, found)
	}
}

// compareDetails compares the schema URL and version of a scope, and the types and values of attributes.
func (t Telemetry) compareDetails(what, scope string, origin store.Origin, attributes, types map[string]string, found *findings) {
	if strings.HasPrefix(scope, own) {
		found.equal(what, "schema URL", origin.SchemaURL, t.SchemaURL)
		if origin.Version == "" {
			found.lines[what+" has no version of its scope"] = true
		}
	}
	for name, got := range types {
		want, ok := t.Types[name]
		if !ok {
			want.Name = "string"
		}
		found.equal(what, "type of "+name, got, want.Name)
		if len(want.Values) > 0 {
			found.oneOf(what, name, attributes[name], want.Values)
		}
	}
}

func (t Telemetry) compareMetrics(points []store.Point, found *findings) {
	for _, got := range points {
		what := fmt.Sprintf("metric %s of %s in scope %s", got.Name, got.Service, got.Scope)
		i := slices.IndexFunc(t.Metrics, func(want Metric) bool {
			return want.Name == got.Name && strings.HasSuffix(got.Scope, want.Scope) &&
				(len(want.Service) == 0 || slices.Contains(want.Service, got.Service) || slices.Contains(want.Service, every))
		})
		if i < 0 {
			found.undeclared(what)
			continue
		}
		want := t.Metrics[i]
		found.saw("metric", got.Service, got.Name)
		found.saw("metric", "", got.Name)
		found.equal(what, "type", got.Type, want.Type)
		found.equal(what, "unit", got.Unit, want.Unit)
		found.equal(what, "bounds", fmt.Sprint(got.Bounds), fmt.Sprint(want.Bounds))
		found.attributes(what, got.Attributes, want.Attributes)
		t.compareDetails(what, got.Scope, got.Origin, got.Attributes, got.Types, found)
		if len(want.Service) > 0 { // the collector's own metrics have another resource
			found.attributes(what+", resource", got.Resource, Attributes{Always: t.Resource})
		}
	}
}

func (t Telemetry) compareLogs(records []store.Record, found *findings) {
	for _, got := range records {
		what := fmt.Sprintf("log record %q of %s in scope %s", got.Message, got.Service, got.Scope)
		i := slices.IndexFunc(t.Logs, func(want Log) bool {
			return want.Message == got.Message && want.Service == got.Service && want.Scope == got.Scope
		})
		if i < 0 {
			found.undeclared(what)
			continue
		}
		want := t.Logs[i]
		found.saw("log record", got.Service, got.Message)
		found.equal(what, "level", got.Level, want.Level)
		found.equal(what, "event", got.Event, want.Event)
		t.compareDetails(what, got.Scope, got.Origin, got.Attributes, got.Types, found)
		found.attributes(what, got.Attributes, want.Attributes)
		found.attributes(what+", resource", got.Resource, Attributes{Always: t.Resource})
	}
}
