package doctor

import (
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// late is how long after the end of its parent a child begins by far.
const late = 10 * time.Millisecond

// call is a client span without a server span, or a server span without a parent.
type call struct {
	interval
	process *process
	trace   pcommon.TraceID
	name    string
	method  string
	port    int64
}

// finish judges a trace that is complete.
func (j *Judge) finish(t *trace) {
	byID := make(map[pcommon.SpanID]spanOf, len(t.spans))
	for _, span := range t.spans {
		byID[span.SpanID()] = span
	}
	answered := make(map[pcommon.SpanID]bool)
	for _, span := range t.spans {
		if span.Kind() == ptrace.SpanKindServer {
			answered[span.ParentSpanID()] = true
		}
		if parent, ok := byID[span.ParentSpanID()]; ok && parent.process == span.process {
			j.lateChild(parent, span)
		}
	}
	for _, span := range t.spans {
		switch of := callOf(span); {
		case span.calls && !answered[span.SpanID()]:
			j.calls.add(of)
		case span.Kind() == ptrace.SpanKindServer && span.ParentSpanID().IsEmpty():
			j.entries.add(of)
		}
	}
}

func callOf(span spanOf) call {
	return call{intervalOf(span.Span), span.process, span.TraceID(), span.Name(), span.method, span.port}
}

func intervalOf(span ptrace.Span) interval {
	return interval{int64(span.StartTimestamp()), int64(max(span.StartTimestamp(), span.EndTimestamp()))}
}

// lateChild looks for work that goes on after its request.
func (j *Judge) lateChild(parent, child spanOf) {
	after := time.Duration(child.StartTimestamp()) - time.Duration(parent.EndTimestamp())
	messaging := parent.Kind() == ptrace.SpanKindProducer || child.Kind() == ptrace.SpanKindConsumer || child.Kind() == ptrace.SpanKindServer
	if after >= late && !messaging && parent.EndTimestamp() > 0 {
		j.findSpan("child-after-parent", child.process.service, child.Name(), child.TraceID(),
			fmt.Sprintf("begins %s after the end of %q", after.Round(time.Millisecond), parent.Name()))
	}
}

// lostContexts judges spans and log records that are in no trace.
func (j *Judge) lostContexts() {
	for _, p := range j.processes {
		if len(p.loose) == 0 || len(p.servers.values) == 0 {
			continue
		}
		requests := newDuring(p.servers.values)
		for of, events := range p.loose {
			rule := "context-lost"
			if of.what == logRecord {
				rule = "log-no-trace"
			}
			evidence := Evidence{What: of.what, Name: of.name}
			if j.known(rule, p.service.name, evidence) {
				continue
			}
			if belong, n := requests.belong(events.values); belong {
				evidence.Count = n
				j.find(rule, p.service.name, evidence)
			}
		}
	}
}

// splitTraces looks for calls whose server spans are in other traces.
func (j *Judge) splitTraces() {
	calls := make(map[*service][]call)
	for _, c := range j.calls.values {
		calls[c.process.service] = append(calls[c.process.service], c)
	}
	entries := make(map[*service][]call)
	for _, e := range j.entries.values {
		entries[e.process.service] = append(entries[e.process.service], e)
	}
	for caller, of := range calls {
		for callee, in := range entries {
			if caller != callee {
				j.splitTrace(caller.name, callee.name, of, in)
			}
		}
	}
}

// splitTrace compares the unanswered calls of a service with the server spans of another that have no parent.
func (j *Judge) splitTrace(caller, callee string, calls, entries []call) {
	fits := func(entry call) bool {
		return slices.ContainsFunc(calls, func(c call) bool {
			return c.method == entry.method && (c.port == entry.port || c.port == 0 || entry.port == 0)
		})
	}
	var requests, events []interval
	for _, c := range calls {
		requests = append(requests, c.interval)
	}
	var first *call
	for i, entry := range entries {
		if fits(entry) {
			events = append(events, entry.interval)
			if first == nil {
				first = &entries[i]
			}
		}
	}
	belong, n := newDuring(requests).belong(events)
	if !belong {
		return
	}
	evidence := Evidence{What: "call", Name: caller + " → " + callee, Detail: fmt.Sprintf("server span %q has no parent", first.name), Trace: first.trace.String(), Count: n}
	if !j.known("context-not-propagated", caller, evidence) {
		j.find("context-not-propagated", caller, evidence)
	}
}
