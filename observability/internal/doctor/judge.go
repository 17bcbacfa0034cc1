// Package doctor judges the telemetry of any service: it finds what loses, falsifies or leaks data, what misleads, and says how to
// fix it. It also computes the Instrumentation Score. Its memory is bounded, however much arrives.
package doctor

import (
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"example.com/dice/observability/internal/lineage"
	"example.com/dice/observability/internal/otlp"
	"example.com/dice/observability/internal/score"
)

// Source is where telemetry comes from.
type Source int

// Services listens to services that go on running, Command to a program that ends, and File reads a file, which may have some of
// the signals only.
const (
	Services Source = iota
	Command
	File
)

// Judge judges telemetry. It implements [otlp.Sink], and is safe for concurrent use.
type Judge struct {
	source Source
	began  time.Time

	mu        sync.Mutex
	spans     lineage.Set
	score     *score.Score
	services  map[string]*service
	processes map[string]*process
	resources map[uint64]*process // by the hash of all attributes
	window    window
	calls     ring[call] // client spans without a server span
	entries   ring[call] // server spans without a parent
	findings  map[findingKey]*Finding
	fresh     []*Finding // that [Judge.Update] has not returned
	refused   int
	compared  time.Time // when contexts were last looked for
	stopping  time.Time // when COMMAND was asked to stop
}

var _ otlp.Sink = (*Judge)(nil)

// New returns a judge.
func New(source Source) *Judge {
	j := &Judge{
		source: source, began: time.Now(),
		services: make(map[string]*service), processes: make(map[string]*process), resources: make(map[uint64]*process),
		findings: make(map[findingKey]*Finding),
	}
	j.score = score.New(&j.spans)
	j.window = newWindow()
	return j
}

// service is what is known of one service.
type service struct {
	name       string
	spans      int
	points     int
	records    int
	bytes      int
	twice      int // spans that arrived before
	names      names
	keys       map[string]*key
	spellings  map[string]string // own attributes
	bodies     shapes
	metrics    map[string]*metric
	httpSpans  int // of servers
	httpPoints bool
	ownPoints  bool // not of the SDK
}

// process is what is known of one instance of a service.
type process struct {
	service *service
	schema  string         // of the resource
	servers ring[interval] // server spans
	loose   map[group]*ring[interval]
	metrics exports
}

// group is a group of spans or log records that begin no trace, and maybe should be part of one.
type group struct{ what, name string }

const (
	mostServices  = 1000
	mostProcesses = 5000
	mostGroups    = 200 // of a process
)

func (j *Judge) service(name string) *service {
	name = shorten(name)
	found := j.services[name]
	if found == nil {
		if len(j.services) >= mostServices {
			name = "(others)" // telemetry that names a service for each request
			if found = j.services[name]; found != nil {
				return found
			}
		}
		found = &service{name: name, keys: make(map[string]*key), spellings: make(map[string]string), metrics: make(map[string]*metric)}
		j.services[name] = found
	}
	return found
}

// Traces implements [otlp.Sink].
func (j *Judge) Traces(data ptrace.Traces, size int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	fresh := j.addSpans(data)
	for _, resource := range data.ResourceSpans().All() {
		p := j.process(resource.Resource().Attributes(), resource.SchemaUrl())
		for _, scope := range resource.ScopeSpans().All() {
			in := newScope(scope.Scope(), scope.SchemaUrl())
			j.incomplete(p.service, in)
			for _, span := range scope.Spans().All() {
				p.service.spans++
				p.service.bytes += size / max(data.SpanCount(), 1)
				if fresh[0] {
					j.span(p, in, span, now)
				} else {
					p.service.twice++
				}
				fresh = fresh[1:]
			}
		}
	}
	j.window.shrink(j.finish)
}

// addSpans adds all spans of a message to the known ones, before their children are looked at. It returns which are new.
func (j *Judge) addSpans(data ptrace.Traces) []bool {
	fresh := make([]bool, 0, data.SpanCount())
	for _, resource := range data.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				fresh = append(fresh, j.spans.Add(span.TraceID(), span.SpanID()))
			}
		}
	}
	return fresh
}

// Metrics implements [otlp.Sink].
func (j *Judge) Metrics(data pmetric.Metrics, size int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	count := max(data.DataPointCount(), 1)
	for _, resource := range data.ResourceMetrics().All() {
		p := j.process(resource.Resource().Attributes(), resource.SchemaUrl())
		p.metrics.add(resource.Resource().Attributes(), now)
		for _, scope := range resource.ScopeMetrics().All() {
			in := newScope(scope.Scope(), scope.SchemaUrl())
			j.incomplete(p.service, in)
			for _, m := range scope.Metrics().All() {
				points := pointsOf(m)
				p.service.points += len(points)
				p.service.bytes += size * len(points) / count
				j.metric(p, in, m, points)
			}
		}
	}
}

// Logs implements [otlp.Sink].
func (j *Judge) Logs(data plog.Logs, size int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	count := max(data.LogRecordCount(), 1)
	for _, resource := range data.ResourceLogs().All() {
		p := j.process(resource.Resource().Attributes(), resource.SchemaUrl())
		for _, scope := range resource.ScopeLogs().All() {
			in := newScope(scope.Scope(), scope.SchemaUrl())
			for _, record := range scope.LogRecords().All() {
				p.service.records++
				p.service.bytes += size / count
				j.record(p, in, record, now)
			}
		}
	}
	j.window.shrink(j.finish)
}

// Refused implements [otlp.Sink].
func (j *Judge) Refused(refusal otlp.Refusal) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.refused++
	rule := "export-body"
	if refusal.Reason == otlp.WrongPath || refusal.Reason == otlp.WrongProtocol {
		rule = "export-endpoint"
	}
	what := "request"
	if j.source == File {
		what = "file"
	}
	j.find(rule, "", Evidence{What: what, Name: refusal.Detail})
}

// refer notes that something refers to a span.
func (j *Judge) refer(kind lineage.Kind, s *service, name string, local bool, trace pcommon.TraceID, span pcommon.SpanID, now time.Time) {
	if trace.IsEmpty() || span.IsEmpty() {
		return
	}
	j.spans.Refer(lineage.Reference{Kind: kind, Service: s.name, Name: name, Local: local, Trace: trace, Span: span, At: now})
}
