package sample

import (
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// The flags of a span, which say that it is known whether its parent is remote, and that it is.
const (
	hasRemote = 0x100
	isRemote  = 0x200
)

func traceID(n uint64) (id pcommon.TraceID) {
	if n != 0 {
		binary.BigEndian.PutUint64(id[:8], 0xabcdef)
		binary.BigEndian.PutUint64(id[8:], n)
	}
	return id
}

func spanID(n uint64) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], n)
	return id
}

// span has the words kind and name. Without trace it is of trace 1, without id it has one of its own.
func (w *writer) span(l line) {
	resource := w.Traces.ResourceSpans().AppendEmpty()
	w.resource.attribute(resource.Resource().Attributes())
	resource.SetSchemaUrl(w.resource.own["schema"])
	scope := resource.ScopeSpans().AppendEmpty()
	w.setScope(scope.Scope())
	scope.SetSchemaUrl(w.scope.own["schema"])
	span := scope.Spans().AppendEmpty()
	kinds := map[string]ptrace.SpanKind{
		"server": ptrace.SpanKindServer, "client": ptrace.SpanKindClient, "internal": ptrace.SpanKindInternal,
		"producer": ptrace.SpanKindProducer, "consumer": ptrace.SpanKindConsumer,
	}
	span.SetKind(kinds[l.words[0]])
	span.SetName(l.words[1])
	span.SetTraceID(traceID(max(l.number("trace"), 1)))
	span.SetSpanID(spanID(l.number("id")))
	if l.number("id") == 0 {
		span.SetSpanID(spanID(1_000_000 + uint64(w.Traces.ResourceSpans().Len())))
	}
	span.SetParentSpanID(spanID(l.number("parent")))
	span.SetFlags(map[string]uint32{"": 0, "true": hasRemote, "false": hasRemote | isRemote}[l.own["local"]])
	span.SetStartTimestamp(l.moment("at"))
	length := 10 * time.Millisecond
	if l.own["for"] != "" {
		length = l.duration("for")
	}
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(Start.Add(l.duration("at") + length)))
	if code, message, ok := strings.Cut(l.own["status"], ":"); ok {
		span.Status().SetCode(map[string]ptrace.StatusCode{"error": ptrace.StatusCodeError, "ok": ptrace.StatusCodeOk}[code])
		span.Status().SetMessage(message)
	}
	span.SetDroppedAttributesCount(uint32(l.number("dropped")))
	if name := l.own["event"]; name != "" {
		span.Events().AppendEmpty().SetName(name)
	}
	l.attribute(span.Attributes())
}

// log has the words severity and body. Without trace it is of none.
func (w *writer) log(l line) {
	resource := w.Logs.ResourceLogs().AppendEmpty()
	w.resource.attribute(resource.Resource().Attributes())
	resource.SetSchemaUrl(w.resource.own["schema"])
	scope := resource.ScopeLogs().AppendEmpty()
	w.setScope(scope.Scope())
	record := scope.LogRecords().AppendEmpty()
	severities := map[string]plog.SeverityNumber{
		"debug": plog.SeverityNumberDebug, "info": plog.SeverityNumberInfo, "warn": plog.SeverityNumberWarn, "error": plog.SeverityNumberError,
	}
	record.SetSeverityNumber(severities[l.words[0]])
	if record.SeverityNumber() != 0 {
		record.SetSeverityText(strings.ToUpper(l.words[0]))
	}
	record.Body().SetStr(l.words[1])
	record.SetTraceID(traceID(l.number("trace")))
	record.SetSpanID(spanID(l.number("span")))
	if l.number("span") > 0 {
		record.SetFlags(plog.DefaultLogRecordFlags.WithIsSampled(true))
	}
	record.SetTimestamp(l.moment("at"))
	if l.own["at"] == "none" {
		record.SetTimestamp(0)
	}
	if l.own["observed"] != "none" {
		record.SetObservedTimestamp(l.moment("observed"))
	}
	l.attribute(record.Attributes())
}

// metric has the words name and unit, and the value unless it is a histogram. The unit - is none.
func (w *writer) metric(kind string, l line) {
	resource := w.Metrics.ResourceMetrics().AppendEmpty()
	w.resource.attribute(resource.Resource().Attributes())
	resource.SetSchemaUrl(w.resource.own["schema"])
	scope := resource.ScopeMetrics().AppendEmpty()
	w.setScope(scope.Scope())
	metric := scope.Metrics().AppendEmpty()
	metric.SetName(l.words[0])
	if l.words[1] != "-" {
		metric.SetUnit(l.words[1])
	}
	temporality := pmetric.AggregationTemporalityCumulative
	if l.own["delta"] == "true" {
		temporality = pmetric.AggregationTemporalityDelta
	}
	switch kind {
	case "counter", "updown":
		sum := metric.SetEmptySum()
		sum.SetIsMonotonic(kind == "counter")
		sum.SetAggregationTemporality(temporality)
		w.value(sum.DataPoints().AppendEmpty(), l)
	case "gauge":
		w.value(metric.SetEmptyGauge().DataPoints().AppendEmpty(), l)
	case "histogram":
		histogram := metric.SetEmptyHistogram()
		histogram.SetAggregationTemporality(temporality)
		w.histogram(histogram.DataPoints().AppendEmpty(), l)
	}
}

func (w *writer) value(point pmetric.NumberDataPoint, l line) {
	value, err := strconv.ParseFloat(l.words[2], 64)
	if err != nil {
		panic(err)
	}
	point.SetDoubleValue(value)
	point.SetStartTimestamp(l.moment("start"))
	point.SetTimestamp(l.moment("at"))
	if l.own["exemplar"] != "" {
		exemplar := point.Exemplars().AppendEmpty()
		exemplar.SetTraceID(traceID(l.number("trace")))
		exemplar.SetSpanID(spanID(l.number("exemplar")))
	}
	l.attribute(point.Attributes())
}

func (w *writer) histogram(point pmetric.HistogramDataPoint, l line) {
	for text := range strings.SplitSeq(l.own["bounds"], ",") {
		bound, err := strconv.ParseFloat(text, 64)
		if err != nil {
			panic(err)
		}
		point.ExplicitBounds().Append(bound)
	}
	for text := range strings.SplitSeq(l.own["counts"], ",") {
		count, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			panic(err)
		}
		point.BucketCounts().Append(count)
		point.SetCount(point.Count() + count)
	}
	if sum, err := strconv.ParseFloat(l.own["sum"], 64); err == nil {
		point.SetSum(sum)
	}
	point.SetStartTimestamp(l.moment("start"))
	point.SetTimestamp(l.moment("at"))
	l.attribute(point.Attributes())
}
