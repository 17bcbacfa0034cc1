package score

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"example.com/dice/observability/internal/lineage"
)

// The limits of the specification.
const (
	mostInternal  = 10 // internal spans of one service in a trace, SPA-001
	mostShort     = 20 // short spans in a trace, SPA-005
	shortDuration = 5 * time.Millisecond
)

// mostTraces is how many traces are counted at the same time; the older half is forgotten when there are more.
const mostTraces = 200_000

// traces counts spans by trace. Its memory is bounded: a trace is forgotten when many others came after it.
type traces struct{ recent, older map[pcommon.TraceID]*trace }

// trace counts spans. A failure is noted once for each service.
type trace struct {
	short    int
	services []inTrace
}

type inTrace struct {
	service  *service
	internal int
	short    bool // it has a short span
	blamed   bool // for too many short spans
}

func (t *traces) get(id pcommon.TraceID) *trace {
	if found := t.recent[id]; found != nil {
		return found
	}
	if t.recent == nil || len(t.recent) >= mostTraces/2 {
		t.recent, t.older = make(map[pcommon.TraceID]*trace), t.recent
	}
	found := t.older[id]
	if found == nil {
		found = new(trace)
	}
	t.recent[id] = found
	return found
}

func (t *trace) of(s *service) *inTrace {
	for i := range t.services {
		if t.services[i].service == s {
			return &t.services[i]
		}
	}
	t.services = append(t.services, inTrace{service: s})
	return &t.services[len(t.services)-1]
}

// Span judges a span: RES-004, SPA-001, SPA-004 and SPA-005. A span must be given once.
func (s *Score) Span(name string, span ptrace.Span) {
	found := s.service(name)
	s.misplaced(found, "span", span.Attributes())
	if span.ParentSpanID().IsEmpty() && span.Kind() == ptrace.SpanKindClient {
		found.fail("SPA-004", fmt.Sprintf("span %q, trace %s", span.Name(), span.TraceID()))
	}
	in := s.traces.get(span.TraceID())
	own := in.of(found)
	if span.Kind() == ptrace.SpanKindInternal {
		if own.internal++; own.internal == mostInternal+1 {
			found.fail("SPA-001", fmt.Sprintf("trace %s has more than %d internal spans, such as %q", span.TraceID(), mostInternal, span.Name()))
		}
	}
	if span.EndTimestamp() >= span.StartTimestamp() && span.EndTimestamp().AsTime().Sub(span.StartTimestamp().AsTime()) < shortDuration {
		own.short = true
		in.short++
		s.blame(in, span)
	}
}

// blame notes that a trace has too many short spans, for each service that has some of them.
func (s *Score) blame(in *trace, span ptrace.Span) {
	if in.short <= mostShort {
		return
	}
	for i := range in.services {
		if own := &in.services[i]; own.short && !own.blamed {
			own.blamed = true
			own.service.fail("SPA-005", fmt.Sprintf("trace %s has more than %d spans shorter than %s, such as %q", span.TraceID(), mostShort, shortDuration, span.Name()))
		}
	}
}

// orphans notes spans whose parent did not arrive, SPA-002.
func (s *Score) orphans(name string, before time.Time, into *service) {
	for reference := range s.spans.Missing() {
		if reference.Kind == lineage.Child && reference.Service == name && reference.At.Before(before) {
			into.fail("SPA-002", fmt.Sprintf("span %q, trace %s: its parent %s did not arrive", reference.Name, reference.Trace, reference.Span))
		}
	}
}

// Record judges a log record: LOG-002 and RES-004. The text UNSET is how the rule writes that the number is not set.
func (s *Score) Record(name string, record plog.LogRecord) {
	found := s.service(name)
	s.misplaced(found, "log record", record.Attributes())
	if record.SeverityNumber() == plog.SeverityNumberUnspecified || record.SeverityText() == "UNSET" {
		found.fail("LOG-002", fmt.Sprintf("a log record without a severity number, whose severity text is %q", record.SeverityText()))
	}
}
