// Package score computes the Instrumentation Score, https://github.com/instrumentation-score/spec, as of commit
// e6ee222742841c96dc4d121b0b4879ebac7c7cdf of 2026-04-09. It has the rules of that specification, and no others.
//
// The specification speaks of a window of 30 days. Here the window is one run, so rules about longer times are not judged.
package score

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"example.com/dice/observability/internal/lineage"
)

// Commit of the specification.
const Commit = "e6ee222742841c96dc4d121b0b4879ebac7c7cdf"

// Impact is the weight of a rule.
type Impact int

// The impacts.
const (
	Low       Impact = 10
	Normal    Impact = 20
	Important Impact = 30
	Critical  Impact = 40
)

func (i Impact) String() string {
	return map[Impact]string{Low: "low", Normal: "normal", Important: "important", Critical: "critical"}[i]
}

// Impacts has the impact of each rule that is implemented.
var Impacts = map[string]Impact{
	"LOG-002": Important,
	"MET-001": Important, "MET-002": Important, "MET-003": Important, "MET-004": Normal, "MET-005": Normal, "MET-006": Important,
	"RES-001": Normal, "RES-002": Important, "RES-003": Important, "RES-004": Important, "RES-005": Critical,
	"SPA-001": Normal, "SPA-002": Normal, "SPA-004": Important, "SPA-005": Important,
}

// NotJudged says why the other rules of the specification are not judged.
var NotJudged = map[string]string{
	"LOG-001": "covers 14 days",
	"SDK-001": "needs the support windows of all SDKs",
	"SPA-003": "has no criteria yet",
}

// noKubernetes is why RES-003 is not judged off Kubernetes.
const noKubernetes = "applies on Kubernetes only"

// Failure is a rule that a service's telemetry fails.
type Failure struct {
	Rule     string
	Count    int      // of what fails
	Examples []string // some of them
}

// Result is a service's score.
type Result struct {
	Value     float64 // 0 to 100
	Passed    []string
	Failed    []Failure
	NotJudged map[string]string // rule and reason; the score may be incomplete without them
}

// Category is the specification's name for the range of a score. The ranges are given in whole numbers: a score counts as
// the one that it has reached.
func (r Result) Category() string {
	switch {
	case r.Value >= 90:
		return "Excellent"
	case r.Value >= 75:
		return "Good"
	case r.Value >= 50:
		return "Needs Improvement"
	default:
		return "Poor"
	}
}

// Score judges the telemetry of all services. It is not safe for concurrent use.
type Score struct {
	spans    *lineage.Set
	services map[string]*service
	traces   traces
	metrics  map[string]*metric
	distinct int // values that are remembered in all metrics
}

// service is what is known of one service.
type service struct {
	failures   map[string]*Failure
	kubernetes bool
	instances  map[string]map[string]string // by service.instance.id: the attributes that tell workloads apart
}

// New returns a score. The set must have all spans that the score is given.
func New(spans *lineage.Set) *Score {
	return &Score{spans: spans, services: make(map[string]*service), metrics: make(map[string]*metric)}
}

func (s *Score) service(name string) *service {
	found := s.services[name]
	if found == nil {
		found = &service{failures: make(map[string]*Failure), instances: make(map[string]map[string]string)}
		s.services[name] = found
	}
	return found
}

const (
	mostExamples = 3
	longExample  = 120
)

// fail notes that something fails a rule.
func (s *service) fail(rule, example string) {
	failure := s.failures[rule]
	if failure == nil {
		failure = &Failure{Rule: rule}
		s.failures[rule] = failure
	}
	failure.Count++
	if len(failure.Examples) == mostExamples {
		return
	}
	if len(example) > longExample {
		example = strings.ToValidUTF8(example[:longExample], "") + "…"
	}
	example = strings.Map(printable, example)
	if !slices.Contains(failure.Examples, example) {
		failure.Examples = append(failure.Examples, example)
	}
}

// printable replaces what a terminal would take for a command: examples quote what services send.
func printable(r rune) rune {
	if !unicode.IsPrint(r) {
		return ' '
	}
	return r
}

// Of returns the score of a service. Spans that arrived after the time are not held against it if their parents are missing: the
// parents may be on their way.
func (s *Score) Of(name string, before time.Time) Result {
	found := s.service(name)
	all := maps.Clone(found.failures)
	late := &service{failures: all}
	s.orphans(name, before, late)
	s.acrossMetrics(name, late)

	result := Result{NotJudged: maps.Clone(NotJudged)}
	var passed, total Impact
	for _, rule := range slices.Sorted(maps.Keys(Impacts)) {
		if rule == "RES-003" && !found.kubernetes {
			result.NotJudged[rule] = noKubernetes
			continue
		}
		total += Impacts[rule]
		if failure := all[rule]; failure != nil {
			result.Failed = append(result.Failed, *failure)
			continue
		}
		passed += Impacts[rule]
		result.Passed = append(result.Passed, rule)
	}
	result.Value = 100 * float64(passed) / float64(total)
	slices.SortStableFunc(result.Failed, func(a, b Failure) int { return cmp.Compare(Impacts[b.Rule], Impacts[a.Rule]) })
	return result
}
