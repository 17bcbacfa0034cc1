package score

import (
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"unicode"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"example.com/dice/observability/internal/registry"
	"example.com/dice/observability/internal/ucum"
)

const (
	mostValues   = 10_000    // MET-001: an attribute has fewer values within an hour
	mostDistinct = 2_000_000 // values that are remembered in all metrics
	mostMetrics  = 10_000
	hour         = 3600 * 1_000_000_000 // in ns
)

// metric is what is known of all metrics of one name.
type metric struct {
	services map[string]bool
	units    map[string]bool
	bounds   []pcommon.Float64Slice // of histograms, those that differ
	values   map[string]*values     // by attribute
	judged   map[string]bool        // services, once for each unit
}

// values are the distinct values of an attribute in an hour.
type values struct {
	hour   pcommon.Timestamp // since 1970
	hashes map[uint64]struct{}
	many   bool // there was an hour with too many
}

var seed = maphash.MakeSeed()

// Metric judges a metric: MET-001 to MET-006.
func (s *Score) Metric(name string, m pmetric.Metric) {
	known := s.metrics[m.Name()]
	if known == nil {
		if len(s.metrics) >= mostMetrics {
			return
		}
		known = &metric{
			services: make(map[string]bool), units: make(map[string]bool),
			values: make(map[string]*values), judged: make(map[string]bool),
		}
		s.metrics[m.Name()] = known
	}
	known.services[name] = true
	if len(known.units) < 10 {
		known.units[m.Unit()] = true
	}
	if once := name + "\x00" + m.Unit(); !known.judged[once] && len(known.judged) < mostInstances {
		known.judged[once] = true
		s.name(s.service(name), m.Name(), m.Unit())
	}
	s.points(known, m)
}

// name judges a metric's name and unit: MET-002, MET-005 and MET-006.
func (s *Score) name(found *service, name, unit string) {
	switch {
	case unit == "":
		found.fail("MET-002", "metric "+name+" has no unit")
	case !ucum.Valid(unit):
		found.fail("MET-002", fmt.Sprintf("metric %s has the unit %q, which is not valid in UCUM", name, unit))
	}
	if word := unitInName(name, unit); word != "" {
		found.fail("MET-005", fmt.Sprintf("metric %s has the unit %q and the word %q in its name", name, unit, word))
	}
	_, registered := registry.FindAttribute(name)
	_, renamed := registry.RenamedAttribute(name)
	if registered || renamed {
		found.fail("MET-006", "metric "+name+" has the name of an attribute")
	}
}

// unitInName returns the word of a metric's name that is its unit, or "".
func unitInName(name, unit string) string {
	units := ucum.Words(unit)
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '%' }) {
		if slices.Contains(units, word) || slices.Contains(units[min(1, len(units)):], strings.ToLower(word)) {
			return word
		}
	}
	return ""
}

// points counts the values of attributes, and notes the bounds of histograms.
func (s *Score) points(known *metric, m pmetric.Metric) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		for _, point := range m.Gauge().DataPoints().All() {
			s.count(known, point.Timestamp(), point.Attributes())
		}
	case pmetric.MetricTypeSum:
		for _, point := range m.Sum().DataPoints().All() {
			s.count(known, point.Timestamp(), point.Attributes())
		}
	case pmetric.MetricTypeHistogram:
		for _, point := range m.Histogram().DataPoints().All() {
			known.bound(point.ExplicitBounds())
			s.count(known, point.Timestamp(), point.Attributes())
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, point := range m.ExponentialHistogram().DataPoints().All() {
			s.count(known, point.Timestamp(), point.Attributes())
		}
	case pmetric.MetricTypeSummary:
		for _, point := range m.Summary().DataPoints().All() {
			s.count(known, point.Timestamp(), point.Attributes())
		}
	default: // empty
	}
}

// bound notes the bounds of a histogram if they are new.
func (m *metric) bound(bounds pcommon.Float64Slice) {
	if len(m.bounds) < 10 && !slices.ContainsFunc(m.bounds, bounds.Equal) {
		kept := pcommon.NewFloat64Slice()
		bounds.CopyTo(kept)
		m.bounds = append(m.bounds, kept)
	}
}

// count counts distinct values, MET-001. The hours are those of the clock.
func (s *Score) count(known *metric, at pcommon.Timestamp, attributes pcommon.Map) {
	for key, value := range attributes.All() {
		counted := known.values[key]
		if counted == nil {
			if len(known.values) >= 1000 {
				continue
			}
			counted = &values{hashes: make(map[uint64]struct{})}
			known.values[key] = counted
		}
		if now := at / hour; now > counted.hour {
			s.distinct -= len(counted.hashes)
			counted.hour = now
			clear(counted.hashes)
		}
		if counted.many || s.distinct >= mostDistinct {
			continue
		}
		hash := maphash.String(seed, value.AsString())
		if _, ok := counted.hashes[hash]; !ok {
			counted.hashes[hash] = struct{}{}
			s.distinct++
		}
		if len(counted.hashes) >= mostValues {
			s.distinct -= len(counted.hashes)
			counted.many, counted.hashes = true, nil
		}
	}
}

// acrossMetrics judges what needs all metrics of a name: MET-001, MET-003 and MET-004.
func (s *Score) acrossMetrics(service string, into *service) {
	for _, name := range slices.Sorted(maps.Keys(s.metrics)) {
		known := s.metrics[name]
		if !known.services[service] {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(known.values)) {
			if known.values[key].many {
				into.fail("MET-001", fmt.Sprintf("metric %s: the attribute %s has %d values or more", name, key, mostValues))
			}
		}
		if len(known.units) > 1 {
			into.fail("MET-003", fmt.Sprintf("metric %s has the units %q", name, slices.Sorted(maps.Keys(known.units))))
		}
		if len(known.bounds) > 1 {
			into.fail("MET-004", fmt.Sprintf("metric %s has the bounds %v and %v", name, known.bounds[0].AsRaw(), known.bounds[1].AsRaw()))
		}
	}
}
