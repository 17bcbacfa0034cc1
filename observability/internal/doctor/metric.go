package doctor

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"example.com/dice/observability/internal/lineage"
	"example.com/dice/observability/internal/registry"
)

const (
	mostMetrics     = 2000   // of a service
	mostSeries      = 20_000 // of a service's metric, for what needs to remember each
	growingValues   = 50
	onceInTen       = 8 // of ten series, from which on a metric has a series for each request
	fewIDs          = 3
	enoughValues    = 10 // of a histogram
	firstUpperBound = 5
)

// defaultBounds are those of the SDKs, which are made for milliseconds.
var defaultBounds = []float64{0, firstUpperBound, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000}

// bounded are attributes with as many values as there are places in the code.
var bounded = setOf("http.route", "url.template", "code.function.name", "rpc.method", "db.query.summary", "service.instance.id")

// metric is what is known of a metric of a service.
type metric struct {
	series map[uint64]*series
	once   int                            // series that were counted once
	values map[string]map[uint64]struct{} // by attribute
	ids    map[string]map[uint64]struct{}
	low    uint64 // values of the histogram in its first buckets
	high   bool   // there were others
}

// series is the last point of a time series.
type series struct {
	start, at pcommon.Timestamp
	value     float64
	delta     float64 // the sum of all values, if the points are deltas
	once      bool
}

// identity is what tells the series of a metric apart.
type identity struct {
	process    *process
	scope      string
	attributes uint64
	start      pcommon.Timestamp
}

// point is a data point of any type.
type point struct {
	attributes pcommon.Map
	start, at  pcommon.Timestamp
	value      float64 // or the number of values
	counts     bool    // it counts, and never goes down
	delta      bool
	exemplars  pmetric.ExemplarSlice
}

// pointsOf returns the data points of a metric.
func pointsOf(m pmetric.Metric) []point {
	var points []point
	numbers := func(of pmetric.NumberDataPointSlice, counts, delta bool) {
		for _, p := range of.All() {
			value := p.DoubleValue()
			if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
				value = float64(p.IntValue())
			}
			points = append(points, point{p.Attributes(), p.StartTimestamp(), p.Timestamp(), value, counts, delta, p.Exemplars()})
		}
	}
	isDelta := func(t pmetric.AggregationTemporality) bool { return t == pmetric.AggregationTemporalityDelta }
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		numbers(m.Gauge().DataPoints(), false, false)
	case pmetric.MetricTypeSum:
		numbers(m.Sum().DataPoints(), m.Sum().IsMonotonic(), isDelta(m.Sum().AggregationTemporality()))
	case pmetric.MetricTypeHistogram:
		delta := isDelta(m.Histogram().AggregationTemporality())
		for _, p := range m.Histogram().DataPoints().All() {
			points = append(points, point{p.Attributes(), p.StartTimestamp(), p.Timestamp(), float64(p.Count()), true, delta, p.Exemplars()})
		}
	case pmetric.MetricTypeExponentialHistogram:
		delta := isDelta(m.ExponentialHistogram().AggregationTemporality())
		for _, p := range m.ExponentialHistogram().DataPoints().All() {
			points = append(points, point{p.Attributes(), p.StartTimestamp(), p.Timestamp(), float64(p.Count()), true, delta, p.Exemplars()})
		}
	case pmetric.MetricTypeSummary:
		for _, p := range m.Summary().DataPoints().All() {
			points = append(points, point{p.Attributes(), p.StartTimestamp(), p.Timestamp(), float64(p.Count()), true, false, pmetric.NewExemplarSlice()})
		}
	default: // a metric without data
	}
	return points
}

// ofSDK reports whether a metric is about the SDK or an exporter, and not about the service.
func ofSDK(name string) bool {
	return strings.HasPrefix(name, "otel.") || strings.HasPrefix(name, "otlp.") || name == "processedSpans" || name == "processedLogs" || name == "queueSize"
}

// metric judges a metric.
func (j *Judge) metric(p *process, in scope, m pmetric.Metric, points []point) {
	s, name := p.service, m.Name()
	j.score.Metric(s.name, m)
	s.ownPoints = s.ownPoints || !ofSDK(name) && len(points) > 0
	s.httpPoints = s.httpPoints || strings.HasPrefix(name, "http.server.") || strings.HasPrefix(name, "http_server_") || strings.HasPrefix(name, "http_request")
	known := s.metrics[name]
	if known == nil {
		if len(s.metrics) >= mostMetrics {
			return
		}
		known = &metric{series: make(map[uint64]*series), values: make(map[string]map[uint64]struct{}), ids: make(map[string]map[uint64]struct{})}
		s.metrics[name] = known
		j.registered(s, in, m)
	}
	if m.Type() == pmetric.MetricTypeHistogram && m.Unit() == "s" && !ofSDK(name) {
		j.buckets(s, known, m)
	}
	for _, at := range points {
		for key, value := range at.attributes.All() {
			j.attribute(s, in, "metric", key, value, pcommon.TraceID{})
			known.value(key, value)
		}
		j.point(p, in, known, name, at)
		j.dropped(s, name, at)
	}
	j.growth(s, known, name)
}

// registered judges the name and the unit of a new metric.
func (j *Judge) registered(s *service, in scope, m pmetric.Metric) {
	name := m.Name()
	if renamed, ok := registry.RenamedMetric(name); ok {
		j.deprecated(s, in, "metric", name, renamed)
	} else if near := registry.NearMetric(name); near != "" && !in.library {
		j.find("name-near-miss", s.name, Evidence{What: "metric", Name: name, Detail: "probably " + near})
	}
	if found, ok := registry.FindMetric(name); ok && m.Unit() != "" && m.Unit() != found.Unit {
		j.find("metric-unit", s.name, Evidence{What: "metric", Name: name, Detail: fmt.Sprintf("has the unit %q, registered with %q", m.Unit(), found.Unit)})
	}
}

// value remembers a value of an attribute, up to a number.
func (m *metric) value(key string, value pcommon.Value) {
	if bounded[key] {
		return
	}
	remember := func(in map[string]map[uint64]struct{}, most int) {
		seen := in[key]
		if seen == nil {
			seen = make(map[uint64]struct{})
			in[key] = seen
		}
		if len(seen) < most && len(in) <= mostElements {
			seen[maphash.String(seed, text(value))] = struct{}{}
		}
	}
	remember(m.values, growingValues)
	if value.Type() == pcommon.ValueTypeStr && len(m.ids[key]) < fewIDs && isID(value.Str()) {
		remember(m.ids, fewIDs)
	}
}

// point judges a data point by the one before it.
func (j *Judge) point(p *process, in scope, known *metric, name string, at point) {
	s := p.service
	if overflow, ok := at.attributes.Get("otel.metric.overflow"); ok && overflow.Bool() {
		j.findOnce("metric-overflow", s, Evidence{What: "metric", Name: name})
	}
	for _, exemplar := range at.exemplars.All() {
		j.refer(lineage.Exemplar, s, name, true, exemplar.TraceID(), exemplar.SpanID(), exemplar.Timestamp().AsTime())
	}
	if !at.counts {
		return
	}
	of := identity{process: p, scope: in.name, attributes: hashOf(at.attributes)}
	if !at.delta {
		of.start = at.start // another start is another series: a restart
	}
	hash := maphash.Comparable(seed, of)
	last := known.series[hash]
	switch {
	case last == nil:
		if len(known.series) >= mostSeries {
			return
		}
		last = &series{start: at.start}
		known.series[hash] = last
	case at.at <= last.at:
		return // late, or a duplicate
	case !at.delta && at.value < last.value && at.start != 0 && !in.library:
		j.find("counter-down", s.name, Evidence{What: "metric", Name: name, Detail: fmt.Sprintf("from %v to %v", last.value, at.value)})
	}
	last.at, last.value, last.delta = at.at, at.value, last.delta+at.value
	total := last.value
	if at.delta {
		total = last.delta
	}
	if once := total == 1; once != last.once {
		known.once += number(once) - number(last.once)
		last.once = once
	}
}

// growth judges the number of series.
func (j *Judge) growth(s *service, known *metric, name string) {
	for _, key := range sortedKeys(known.ids) {
		if len(known.ids[key]) >= fewIDs {
			j.findOnce("metric-id", s, Evidence{What: "metric", Name: name + ", attribute " + key})
		}
	}
	if len(known.series) < growingValues || 10*known.once < onceInTen*len(known.series) {
		return
	}
	for _, key := range sortedKeys(known.values) {
		if len(known.values[key]) >= growingValues {
			j.findOnce("series-grow", s, Evidence{
				What: "metric", Name: name + ", attribute " + key, Detail: fmt.Sprintf("%d series, %d of them counted once", len(known.series), known.once),
			})
		}
	}
}

// buckets judges the bounds of a histogram in seconds.
func (j *Judge) buckets(s *service, known *metric, m pmetric.Metric) {
	delta := m.Histogram().AggregationTemporality() == pmetric.AggregationTemporalityDelta
	for _, p := range m.Histogram().DataPoints().All() {
		counts := p.BucketCounts()
		if counts.Len() != len(defaultBounds)+1 || !slices.Equal(p.ExplicitBounds().AsRaw(), defaultBounds) {
			continue
		}
		low := counts.At(0) + counts.At(1)
		known.high = known.high || low != p.Count()
		if delta {
			known.low += low
		} else {
			known.low = max(known.low, low)
		}
	}
	if known.low >= enoughValues && !known.high {
		j.findOnce("histogram-buckets", s, Evidence{What: "metric", Name: m.Name(), Detail: fmt.Sprintf("%d values are at most %d s", known.low, firstUpperBound)})
	}
}

// dropped reads what the SDK says about itself: the names of the semantic conventions, and those of the SDK for Java.
func (j *Judge) dropped(s *service, name string, at point) {
	if at.value <= 0 || !ofSDK(name) {
		return
	}
	reason := ""
	switch {
	case strings.HasPrefix(name, "otel.sdk.processor.") && strings.HasSuffix(name, ".processed"),
		strings.HasPrefix(name, "otel.sdk.exporter.") && strings.HasSuffix(name, ".exported"):
		if value, ok := at.attributes.Get("error.type"); ok {
			reason = text(value)
		}
	case name == "processedSpans" || name == "processedLogs":
		if value, ok := at.attributes.Get("dropped"); ok && value.Bool() {
			reason = "dropped"
		}
	}
	if reason != "" {
		j.findOnce("sdk-dropped", s, Evidence{What: "metric", Name: name, Detail: fmt.Sprintf("%v: %s", at.value, reason)})
	}
}
