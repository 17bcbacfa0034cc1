package checklist

import (
	"fmt"
	"slices"

	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/store"
)

// mostValues is the most values that an undeclared attribute of a metric may have. IDs have more.
const mostValues = 20

// checkMetric requires a metric with the declared type, unit, bounds and attributes, without an attribute that has too many values, and
// with the values that the requests lead to.
func (e *evidence) checkMetric(service string, want declared.Metric) Verdict {
	points := e.pointsOf(service, want.Name)
	if len(points) == 0 {
		return e.noMetric(service, want)
	}
	for _, point := range points {
		if v := checkPoint(point, want); !v.There() {
			return v
		}
		if v := checkScope("the metric", point.Scope, point.Origin, want.Scope, e.want); !v.There() {
			return v.needs("otel.Meter(", "const scope")
		}
	}
	if v := checkSeries(points, want); !v.There() {
		return v
	}
	all := make([]attributed, len(points))
	for i, point := range points {
		all[i] = attributed{point.Attributes, point.Types}
	}
	if v := checkAttributes("the metric", all, want.Attributes, e.want); !v.There() {
		return v
	}
	for _, point := range points {
		if point.Attributes["dice.roll.outcome"] == "failed" && point.Attributes["error.type"] == "" && slices.Contains(want.Maybe, "error.type") {
			return wrong("A data point with the outcome failed lacks the attribute error.type.").needs("semconv.ErrorType(")
		}
	}
	return e.checkTotals(service, want, points)
}

func (e *evidence) noMetric(service string, want declared.Metric) Verdict {
	var others []string
	for _, point := range e.Points {
		if point.Service == service && !slices.ContainsFunc(e.want.Metrics, func(m declared.Metric) bool { return m.Name == point.Name }) {
			others = append(others, point.Name)
		}
	}
	similar := nearest(want.Name, others)
	if similar == "" && want.Scope == "" {
		return wrong("No metric with this name has arrived.")
	}
	if similar == "" {
		return wrong("No metric with this name has arrived. Create the instrument, and record a value with it.")
	}
	return wrong("No metric with this name has arrived.%s", similar)
}

// instruments are the names of instruments in the API, by the types of their data.
var instruments = map[string]string{"sum": "a Counter", "up-down sum": "an UpDownCounter", "histogram": "a Histogram", "gauge": "a Gauge"}

func checkPoint(got store.Point, want declared.Metric) Verdict {
	switch {
	case got.Type != want.Type:
		return wrong("The instrument is %s. It must be %s.", instruments[got.Type], instruments[want.Type])
	case got.Unit != want.Unit:
		return wrong("Its unit is %q, not %q. Set it with metric.WithUnit.", got.Unit, want.Unit)
	case want.Bounds != nil && !slices.Equal(got.Bounds, want.Bounds):
		return wrong("The bounds of its buckets are %v, not %v. Set them with WithExplicitBucketBoundaries.", got.Bounds, want.Bounds).needs("WithExplicitBucketBoundaries(" + fmt.Sprint(want.Bounds[0]))
	}
	return Verdict{}
}

// checkSeries requires that the number of an attribute's values does not grow with the traffic.
func checkSeries(points []store.Point, want declared.Metric) Verdict {
	values := make(map[string]map[string]bool)
	for _, point := range points {
		for name, value := range point.Attributes {
			if name == "otel.metric.overflow" {
				return wrong("The metric has too many series: the SDK has merged some into one series with otel.metric.overflow. Remove the attribute with many values.")
			}
			if values[name] == nil {
				values[name] = make(map[string]bool)
			}
			values[name][value] = true
		}
	}
	for name, v := range values {
		if len(v) > mostValues && !slices.Contains(want.Always, name) && !slices.Contains(want.Maybe, name) {
			return wrong("The metric has too many series: its attribute %s has %d values in %d series. Remove it from the metric, or give it a few fixed values.", name, len(v), len(points))
		}
	}
	return Verdict{}
}
