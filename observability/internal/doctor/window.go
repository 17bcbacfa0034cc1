package doctor

import (
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Limits of the window.
const (
	settled     = 3 * time.Second // after its last span, a trace counts as complete; exporters wait for a second or more
	mostSpans   = 30_000          // in the window
	mostInTrace = 2000            // spans of a trace that are kept
	mostRecords = 100             // log records of a trace that are kept
)

// window has the traces that are not complete yet.
type window struct {
	traces map[pcommon.TraceID]*trace
	order  []*trace // by arrival of the first span
	spans  int
}

// trace is what has arrived of a trace, with the same trace ID.
type trace struct {
	id      pcommon.TraceID
	spans   []spanOf
	records []recordOf
	touched time.Time
}

type spanOf struct {
	ptrace.Span
	process *process
	calls   bool // it is a client span of HTTP or RPC
	method  string
	port    int64
}

type recordOf struct {
	plog.LogRecord
	service *service
}

func newWindow() window { return window{traces: make(map[pcommon.TraceID]*trace)} }

func (w *window) trace(id pcommon.TraceID, now time.Time) *trace {
	found := w.traces[id]
	if found == nil {
		found = &trace{id: id}
		w.traces[id] = found
		w.order = append(w.order, found)
	}
	found.touched = now
	return found
}

func (w *window) addSpan(span spanOf, now time.Time) {
	t := w.trace(span.TraceID(), now)
	if len(t.spans) < mostInTrace {
		t.spans = append(t.spans, span)
		w.spans++
	}
}

func (w *window) addRecord(record recordOf, now time.Time) {
	t := w.trace(record.TraceID(), now)
	if len(t.records) < mostRecords {
		t.records = append(t.records, record)
		w.spans++
	}
}

// shrink finishes the oldest traces if there are too many spans.
func (w *window) shrink(finish func(*trace)) {
	if w.spans <= mostSpans {
		return
	}
	taken := 0
	for w.spans > mostSpans/2 {
		w.forget(w.order[taken])
		finish(w.order[taken])
		taken++
	}
	w.order = slices.Delete(w.order, 0, taken)
}

// settle finishes the traces that have not changed since a moment, and returns them.
func (w *window) settle(since time.Time, finish func(*trace)) []*trace {
	var complete []*trace
	w.order = slices.DeleteFunc(w.order, func(t *trace) bool {
		if t.touched.After(since) {
			return false
		}
		w.forget(t)
		finish(t)
		complete = append(complete, t)
		return true
	})
	return complete
}

func (w *window) forget(t *trace) {
	delete(w.traces, t.id)
	w.spans -= len(t.spans) + len(t.records)
}
