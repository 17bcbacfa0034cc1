package doctor

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"example.com/dice/observability/internal/report"
	"example.com/dice/observability/internal/store"
)

// mostDrawn is how many spans of a trace are drawn.
const mostDrawn = 200

// drawn returns the first traces in a form that can be drawn, and how many are left. The late rest of a trace that was complete is
// not drawn again.
func (j *Judge) drawn(complete []*trace, most int) (traces []report.Trace, left int) {
	for _, t := range complete {
		if len(t.spans) == 0 || j.isRest(t) {
			continue
		}
		if len(traces) == most {
			left++
			continue
		}
		var spans []store.Span
		for _, span := range t.spans[:min(len(t.spans), mostDrawn)] {
			spans = append(spans, drawnSpan(span))
		}
		var records []store.Record
		for _, record := range t.records {
			records = append(records, drawnRecord(record))
		}
		traces = append(traces, report.New(t.id.String(), spans, records))
	}
	return traces, left
}

// isRest reports whether all spans of a trace have parents that arrived before.
func (j *Judge) isRest(t *trace) bool {
	here := make(map[pcommon.SpanID]bool)
	for _, span := range t.spans {
		here[span.SpanID()] = true
	}
	for _, span := range t.spans {
		parent := span.ParentSpanID()
		if !here[parent] && (parent.IsEmpty() || !j.spans.Has(t.id, parent)) {
			return false
		}
	}
	return true
}

func drawnSpan(span spanOf) store.Span {
	return store.Span{
		TraceID: span.TraceID().String(),
		ID:      span.SpanID().String(),
		Parent:  span.ParentSpanID().String(),
		Service: span.process.service.name,
		Name:    shorten(span.Name()),
		Start:   span.StartTimestamp().AsTime(),
		End:     max(span.StartTimestamp(), span.EndTimestamp()).AsTime(),
		Failed:  span.Status().Code() == ptrace.StatusCodeError,
		Message: shorten(span.Status().Message()),
	}
}

func drawnRecord(record recordOf) store.Record {
	body := text(record.Body())
	attributes := make(map[string]string)
	for key, value := range record.Attributes().All() {
		attributes[shorten(key)] = shorten(text(value))
	}
	return store.Record{
		TraceID:    record.TraceID().String(),
		SpanID:     record.SpanID().String(),
		Service:    record.service.name,
		Time:       record.Timestamp().AsTime(),
		Level:      shorten(record.SeverityText()),
		Message:    shorten(body),
		Attributes: attributes,
	}
}
