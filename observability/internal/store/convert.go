package store

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

const serviceName = "service.name"

func toMap(attributes pcommon.Map) map[string]string {
	got := make(map[string]string, attributes.Len())
	for key, value := range attributes.All() {
		got[key] = value.AsString()
	}
	return got
}

// types returns the type of each attribute.
func types(attributes pcommon.Map) map[string]string {
	got := make(map[string]string, attributes.Len())
	for key, value := range attributes.All() {
		got[key] = strings.ToLower(value.Type().String())
		if value.Type() == pcommon.ValueTypeStr {
			got[key] = "string"
		}
	}
	return got
}

func (s *Store) addTraces(traces ptrace.Traces) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed = time.Now()
	for _, resource := range traces.ResourceSpans().All() {
		from := toMap(resource.Resource().Attributes())
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				id := span.TraceID().String()
				t := s.traces.get(id)
				t.Spans = append(t.Spans, Span{
					TraceID:    id,
					ID:         span.SpanID().String(),
					Parent:     span.ParentSpanID().String(),
					Service:    from[serviceName],
					Scope:      scope.Scope().Name(),
					Origin:     Origin{scope.Scope().Version(), scope.SchemaUrl()},
					Name:       span.Name(),
					Kind:       strings.ToLower(span.Kind().String()),
					Start:      span.StartTimestamp().AsTime(),
					End:        span.EndTimestamp().AsTime(),
					Failed:     span.Status().Code() == ptrace.StatusCodeError,
					Message:    span.Status().Message(),
					Attributes: toMap(span.Attributes()),
					Types:      types(span.Attributes()),
					Resource:   from,
				})
			}
		}
	}
	s.traces.forget(Most)
}

// addLogs reports whether it accepted the records.
func (s *Store) addLogs(tenant string, logs plog.Logs) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse {
		s.refused[tenant]++
		return false
	}
	s.changed = time.Now()
	for _, resource := range logs.ResourceLogs().All() {
		from := toMap(resource.Resource().Attributes())
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				id := record.TraceID().String()
				t := s.traces.get(id)
				t.Records = append(t.Records, Record{
					TraceID:    id,
					SpanID:     record.SpanID().String(),
					Service:    from[serviceName],
					Scope:      scope.Scope().Name(),
					Origin:     Origin{scope.Scope().Version(), scope.SchemaUrl()},
					Event:      record.EventName(),
					Tenant:     tenant,
					Time:       timeOf(record),
					Level:      record.SeverityText(),
					Message:    record.Body().AsString(),
					Attributes: toMap(record.Attributes()),
					Types:      types(record.Attributes()),
					Resource:   from,
				})
			}
		}
	}
	s.traces.forget(Most)
	return true
}

// timeOf returns when the event occurred or, if its source does not say so, when it was observed.
//
// https://opentelemetry.io/docs/specs/otel/logs/data-model/#log-and-event-record-definition
func timeOf(record plog.LogRecord) time.Time {
	return cmp.Or(record.Timestamp(), record.ObservedTimestamp()).AsTime()
}

func (s *Store) addMetrics(metrics pmetric.Metrics) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.points == nil {
		s.points = make(map[string]Point)
	}
	for _, resource := range metrics.ResourceMetrics().All() {
		from := toMap(resource.Resource().Attributes())
		for _, scope := range resource.ScopeMetrics().All() {
			for _, metric := range scope.Metrics().All() {
				base := Point{
					Service: from[serviceName], Scope: scope.Scope().Name(),
					Name: metric.Name(), Unit: metric.Unit(), Resource: from,
					Origin: Origin{scope.Scope().Version(), scope.SchemaUrl()},
				}
				for _, point := range points(base, metric) {
					key := seriesKey(point)
					before := s.points[key]
					peak := max(point.Value, before.Peak)
					if point.at.Before(before.at) { // overtaken on the way here
						point = before
					}
					point.Peak = peak
					s.points[key] = point
				}
			}
		}
	}
}

// seriesKey is the same for all points of one time series.
func seriesKey(point Point) string {
	key, err := json.Marshal([]any{point.Scope, point.Name, point.Resource, point.Attributes}) // maps in order of their keys
	if err != nil {
		panic(err) // maps of strings can be encoded
	}
	return string(key)
}

// points returns the data points of a metric, each with the fields of base.
func points(base Point, metric pmetric.Metric) []Point {
	var got []Point
	numbers := func(kind string, data pmetric.NumberDataPointSlice) {
		for _, point := range data.All() {
			p := base
			p.Type, p.Attributes, p.Types = kind, toMap(point.Attributes()), types(point.Attributes())
			p.Value, p.at = point.DoubleValue(), point.Timestamp().AsTime()
			if point.ValueType() == pmetric.NumberDataPointValueTypeInt {
				p.Value = float64(point.IntValue())
			}
			got = append(got, p)
		}
	}
	switch metric.Type() {
	case pmetric.MetricTypeGauge:
		numbers("gauge", metric.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		kind := "sum"
		if !metric.Sum().IsMonotonic() {
			kind = "up-down sum"
		}
		numbers(kind, metric.Sum().DataPoints())
	case pmetric.MetricTypeHistogram:
		for _, point := range metric.Histogram().DataPoints().All() {
			p := base
			p.Type, p.Attributes, p.Types = "histogram", toMap(point.Attributes()), types(point.Attributes())
			p.Value, p.Count, p.Bounds = point.Sum(), int(point.Count()), point.ExplicitBounds().AsRaw()
			p.Buckets, p.at = point.BucketCounts().AsRaw(), point.Timestamp().AsTime()
			got = append(got, p)
		}
	default: // nothing here creates other types; comparisons must notice one
		base.Type = strings.ToLower(metric.Type().String())
		got = append(got, base)
	}
	return got
}
