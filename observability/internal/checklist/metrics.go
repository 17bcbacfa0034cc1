package checklist

import (
	"fmt"
	"slices"

	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/store"
)

// mostValues is the most values that an undeclared attribute of a metric may have. IDs have more.
const mostValues = 20

// checkMetric requires a metric with the declared type, unit, bounds and attributes, and without an attribute that has too many values.
func (r *Run) checkMetric(service string, want declared.Metric, t declared.Telemetry) Verdict {
	var points []store.Point
	var others []string
	for _, point := range r.Points {
		switch {
		case point.Service != service:
		case point.Name == want.Name:
			points = append(points, point)
		case !slices.ContainsFunc(t.Metrics, func(m declared.Metric) bool { return m.Name == point.Name }):
			others = append(others, point.Name)
		}
	}
	if len(points) == 0 {
		return wrong("No metric with this name has arrived.%s", nearest(want.Name, others))
	}
	for _, point := range points {
		if v := checkPoint(point, want); !v.There() {
			return v
		}
	}
	if v := checkSeries(points, want); !v.There() {
		return v
	}
	seen := make(map[string]bool)
	for _, point := range points {
		if v := checkAttributes("the metric", point.Attributes, point.Types, want.Attributes, t); !v.There() {
			return v
		}
		for name := range point.Attributes {
			seen[name] = true
		}
		if outcome := point.Attributes["dice.roll.outcome"]; outcome == "failed" && point.Attributes["error.type"] == "" && slices.Contains(want.Maybe, "error.type") {
			return Verdict{"A data point with the outcome failed lacks the attribute error.type." + nearest("error.type", keys(point.Attributes)), "semconv.ErrorType("}
		}
	}
	return neverSeen(want.Maybe, seen)
}

func checkPoint(got store.Point, want declared.Metric) Verdict {
	switch {
	case got.Type != want.Type:
		return wrong("The metric is a %s. It must be a %s.", got.Type, want.Type)
	case got.Unit != want.Unit:
		return wrong("Its unit is %q, not %q.", got.Unit, want.Unit)
	case want.Bounds != nil && !slices.Equal(got.Bounds, want.Bounds):
		return Verdict{fmt.Sprintf("The bounds of its buckets are %v, not %v. Set them with WithExplicitBucketBoundaries.", got.Bounds, want.Bounds), "WithExplicitBucketBoundaries"}
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
