package checklist

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/recorder"
	"example.com/dice/observability/internal/store"
)

// checkLog requires the records that the requests to the service lead to, with the declared level and attributes.
func (e *evidence) checkLog(want declared.Log) Verdict {
	var got []store.Record
	var other []string
	for _, record := range e.Records {
		switch {
		case record.Service != want.Service:
		case record.Message == want.Message && record.Event == want.Event:
			got = append(got, record)
		default:
			other = append(other, record.Message)
		}
	}
	entries := e.entries(want.Service)[want.Message]
	if len(got) == 0 {
		return e.noRecord(want, other, len(entries))
	}
	all := make([]attributed, len(got))
	for i, record := range got {
		if record.Level != want.Level {
			return wrong("The level of the record is %s. It must be %s.", record.Level, want.Level).needs(strconv.Quote(cmp.Or(want.Event, want.Message)))
		}
		if v := checkScope("the record", record.Scope, record.Origin, want.Scope, e.want); !v.There() && want.Event != "" {
			return v.needs("otel.Logger(")
		} else if !v.There() {
			return v.needs("telemetry.Start(")
		}
		all[i] = attributed{record.Attributes, record.Types}
	}
	if v := checkAttributes(fmt.Sprintf("the record %q", want.Message), all, want.Attributes, e.want); !v.There() {
		return v
	}
	if want.Message == "listening" {
		return checkNumber(len(got), make([]expected, 1))
	}
	if more := len(got) - len(entries); more > 0 && more <= e.untraced(want.Service) {
		return Verdict{}
	}
	if v := checkNumber(len(got), entries); !v.There() {
		return v
	}
	return checkRecordValues(got, entries)
}

func (e *evidence) noRecord(want declared.Log, other []string, entries int) Verdict {
	switch similar := nearest(want.Message, other); {
	case want.Event != "":
		return wrong("No record with the event name %q and the body %q has arrived.", want.Event, want.Message)
	case similar != "":
		return wrong("No record with this message has arrived.%s", similar)
	case len(other) == 0 && e.hasOther(want.Service):
		return wrong("No log record at all has arrived from this service, although spans or metrics have: slog's default logger does not lead to the SDK. telemetry.Start sets it. If slog.SetDefault runs after that, it replaces the SDK's logger: remove that call.").
			needs("telemetry.Start(").advised("telemetry.Start replaces slog's default logger with one that writes to the terminal and to the SDK. So a slog.SetDefault of your own is no longer needed.")
	case len(other) == 0:
		return wrong("No log record at all has arrived from this service.").needs("telemetry.Start(")
	case entries > 0:
		return wrong("No record with this message has arrived, but %s should have led to one.", plural(entries, "request"))
	}
	return wrong("No record with this message has arrived.")
}

// hasOther reports whether spans or metrics have arrived from a service.
func (e *evidence) hasOther(service string) bool {
	return slices.ContainsFunc(e.Spans, func(s store.Span) bool { return s.Service == service }) ||
		slices.ContainsFunc(e.Points, func(p store.Point) bool { return p.Service == service })
}

// checkNumber requires one record for each request that leads to one.
func checkNumber(got int, entries []expected) Verdict {
	if got == len(entries) {
		return Verdict{}
	}
	have := plural(got, "record")
	if len(entries) == 1 && entries[0].message == "" {
		return wrong("There are %s, but the service started once.", have)
	}
	return wrong("There are %s for %s. Write one for each, where the response is decided.", have, plural(len(entries), "request"))
}

// checkRecords requires of records that the traffic need not lead to, but has led to, what is declared.
func (e *evidence) checkRecords(service string) Verdict {
	for _, want := range e.want.Logs {
		if want.Service != service || !want.Optional && want.Message != "stopping" {
			continue // the others have items of their own
		}
		var all []attributed
		for _, record := range e.Records {
			if record.Service != service || record.Message != want.Message {
				continue
			}
			if record.Level != want.Level {
				return wrong("The level of the record %q is %s. It must be %s.", want.Message, record.Level, want.Level).needs(strconv.Quote(want.Message))
			}
			if v := checkScope(fmt.Sprintf("the record %q", want.Message), record.Scope, record.Origin, want.Scope, e.want); !v.There() {
				return v.needs("telemetry.Start(")
			}
			all = append(all, attributed{record.Attributes, record.Types})
		}
		if len(all) == 0 {
			continue
		}
		if v := checkAttributes(fmt.Sprintf("the record %q", want.Message), all, want.Attributes, e.want); !v.There() {
			return v.needs(strconv.Quote(want.Message))
		}
	}
	return Verdict{}
}

// checkRecordValues compares the attributes of all records with those that the responses lead to.
func checkRecordValues(got []store.Record, entries []expected) Verdict {
	left := make(map[string]int)
	names := make(map[string]bool)
	for _, entry := range entries {
		for name := range entry.attributes {
			names[name] = true
		}
	}
	sorted := slices.Sorted(maps.Keys(names))
	for _, entry := range entries {
		left[values(entry.attributes, sorted)]++
	}
	for _, record := range got {
		k := values(record.Attributes, sorted)
		if left[k] == 0 {
			return wrong("There are more records with %s than responses like that.", k)
		}
		left[k]--
	}
	return Verdict{}
}

func values(attributes map[string]string, names []string) string {
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = name + "=" + attributes[name]
	}
	return list(parts)
}

// checkCorrelation requires that each request has its records, and that they have the trace and a span of their request.
func (e *evidence) checkCorrelation(service string) Verdict {
	all, without := 0, make(map[string]int)
	elsewhere := make(map[string]int)
	byTrace := make(map[string][]store.Record)
	for _, record := range e.Records {
		if record.Service != service || record.Message == "listening" || record.Message == "stopping" {
			continue
		}
		all++
		span, ok := e.byID[record.SpanID]
		switch {
		case record.TraceID == "":
			without[record.Message]++
		case !ok || span.Service != service || span.TraceID != record.TraceID:
			elsewhere[record.Message]++
		}
		byTrace[record.TraceID] = append(byTrace[record.TraceID], record)
	}
	switch {
	case all == 0:
		return wrong("No log records of requests have arrived.")
	case len(without) > 0:
		message := mostOf(without)
		return wrong("%d of %d log records have no trace: those with the message %q. Log with the ctx of the request: slog.InfoContext(ctx, …).", without[message], all, message).needs(strconv.Quote(message))
	case len(elsewhere) > 0:
		message := mostOf(elsewhere)
		return wrong("%d of %d log records belong to a span that has not arrived, or that is not this service's: those with the message %q. Log with the ctx of the request, after the middleware has started its span.", elsewhere[message], all, message).needs(strconv.Quote(message))
	}
	return e.checkEntries(service, byTrace)
}

func mostOf(counts map[string]int) string {
	return slices.MaxFunc(slices.Sorted(maps.Keys(counts)), func(a, b string) int { return counts[a] - counts[b] })
}

// checkEntries requires the records of each request in its trace.
func (e *evidence) checkEntries(service string, byTrace map[string][]store.Record) Verdict {
	declaredLogs := filter(e.want.Logs, func(l declared.Log) bool { return l.Service == service })
	for message, entries := range e.entries(service) {
		i := slices.IndexFunc(declaredLogs, func(l declared.Log) bool { return l.Message == message })
		if i < 0 {
			continue
		}
		all := count(e.Records, func(r store.Record) bool { return r.Service == service && r.Message == message })
		if all != len(entries) && !declaredLogs[i].Optional {
			continue // the record's own item reports this
		}
		lost := 0
		var example recorder.Exchange
		for _, entry := range entries {
			n := count(byTrace[entry.call.TraceID], func(r store.Record) bool { return r.Message == message })
			switch {
			case entry.call.TraceID == "":
			case n == 0:
				lost, example = lost+1, entry.call
			case n > 1:
				return wrong("A request has %d records %q in its trace. Write one, where the response is decided.", n, message).needs(strconv.Quote(message))
			}
		}
		if lost > 0 {
			what := nameOf(example)
			if isPanic(example) {
				what = "the request whose handler the checker made panic"
			}
			return wrong("%d of %d requests have no record %q in their trace, such as %s with the status %d.", lost, len(entries), message, what, example.Status).needs(strconv.Quote(cmp.Or(declaredLogs[i].Event, message)))
		}
	}
	return e.checkRecords(service)
}
