package telemetry

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Callers choose some of the text in telemetry, such as the user agent. OTLP accepts only UTF-8 and limits the size of a
// message, so a single invalid or huge string would lose everything that is sent with it.

const longest = 1 << 10 // characters

// credential is the user name of a request's Basic authentication, which otelchi copies into its span.
const credential attribute.Key = "enduser.id"

// lengthLimit returns the limit for attributes of a "SPAN" or "LOGRECORD": the one set in the environment, or 1024 characters.
func lengthLimit(signal string) int {
	for _, name := range []string{"OTEL_" + signal + "_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"} {
		if limit, err := strconv.Atoi(os.Getenv(name)); err == nil {
			return limit
		}
	}
	return longest
}

// repair cuts s after limit characters, and replaces what is not UTF-8 with the replacement character.
func repair(s string, limit int) string {
	count := 0
	for i := range s {
		if count == limit {
			s = s[:i]
			break
		}
		count++
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

func repairValue(v attribute.Value, limit int) attribute.Value {
	switch v.Type() {
	case attribute.STRING:
		return attribute.StringValue(repair(v.AsString(), limit))
	case attribute.BYTESLICE:
		bytes := v.AsByteSlice()
		return attribute.ByteSliceValue(bytes[:min(len(bytes), limit)])
	case attribute.STRINGSLICE:
		list := v.AsStringSlice()
		for i := range list {
			list[i] = repair(list[i], limit)
		}
		return attribute.StringSliceValue(list)
	case attribute.SLICE:
		list := v.AsSlice()
		for i := range list {
			list[i] = repairValue(list[i], limit)
		}
		return attribute.SliceValue(list...)
	case attribute.MAP:
		return attribute.MapValue(repairAll(v.AsMap(), limit)...)
	default:
		return v
	}
}

func repairAll(attributes []attribute.KeyValue, limit int) []attribute.KeyValue {
	all := make([]attribute.KeyValue, len(attributes))
	for i, a := range attributes {
		all[i] = attribute.KeyValue{Key: attribute.Key(repair(string(a.Key), longest)), Value: repairValue(a.Value, limit)}
	}
	return all
}

func repairSet(set attribute.Set) attribute.Set {
	if set.Len() == 0 {
		return set
	}
	return attribute.NewSet(repairAll(set.ToSlice(), longest)...)
}

func repairScope(s instrumentation.Scope) instrumentation.Scope {
	s.Name, s.Version, s.SchemaURL = repair(s.Name, longest), repair(s.Version, longest), repair(s.SchemaURL, longest)
	s.Attributes = repairSet(s.Attributes)
	return s
}

// validSpans exports spans repaired, and without the caller's credential.
type validSpans struct {
	sdktrace.SpanExporter
	limit int // of attributes, in characters
}

func (e validSpans) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	valid := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, span := range spans {
		valid[i] = validSpan{span, e.limit}
	}
	return e.SpanExporter.ExportSpans(ctx, valid)
}

type validSpan struct {
	sdktrace.ReadOnlySpan
	limit int
}

func (s validSpan) Name() string { return repair(s.ReadOnlySpan.Name(), longest) }

func (s validSpan) InstrumentationScope() instrumentation.Scope {
	return repairScope(s.ReadOnlySpan.InstrumentationScope())
}

func (s validSpan) Status() sdktrace.Status {
	status := s.ReadOnlySpan.Status()
	status.Description = repair(status.Description, longest)
	return status
}

func (s validSpan) Attributes() []attribute.KeyValue {
	attributes := repairAll(s.ReadOnlySpan.Attributes(), s.limit)
	return slices.DeleteFunc(attributes, func(a attribute.KeyValue) bool { return a.Key == credential })
}

func (s validSpan) Events() []sdktrace.Event {
	events := slices.Clone(s.ReadOnlySpan.Events())
	for i, e := range events {
		events[i].Name, events[i].Attributes = repair(e.Name, longest), repairAll(e.Attributes, s.limit)
	}
	return events
}

func (s validSpan) Links() []sdktrace.Link {
	links := slices.Clone(s.ReadOnlySpan.Links())
	for i, l := range links {
		links[i].Attributes = repairAll(l.Attributes, s.limit)
	}
	return links
}

// validRecords passes log records on, repaired.
type validRecords struct {
	sdklog.Processor
	limit int // of attributes, in characters
}

func (p validRecords) OnEmit(ctx context.Context, record *sdklog.Record) error {
	record.SetEventName(repair(record.EventName(), longest))
	record.SetSeverityText(repair(record.SeverityText(), longest))
	record.SetBody(repairValue(record.Body(), max(longest, p.limit)))
	var attributes []attribute.KeyValue
	record.WalkAttributes(func(a attribute.KeyValue) bool {
		attributes = append(attributes, a)
		return true
	})
	if valid := repairAll(attributes, p.limit); !slices.Equal(attributes, valid) {
		record.SetAttributes(valid...) // forgets how many attributes were dropped
	}
	return p.Processor.OnEmit(ctx, record)
}

// validLoggers makes loggers with a repaired scope, because a record's scope cannot be set.
type validLoggers struct{ *sdklog.LoggerProvider }

func (p validLoggers) Logger(name string, options ...log.LoggerOption) log.Logger {
	config := log.NewLoggerConfig(options...)
	scope := repairScope(instrumentation.Scope{
		Name: name, Version: config.InstrumentationVersion(), SchemaURL: config.SchemaURL(), Attributes: config.InstrumentationAttributes(),
	})
	return p.LoggerProvider.Logger(scope.Name, log.WithInstrumentationVersion(scope.Version), log.WithSchemaURL(scope.SchemaURL),
		log.WithInstrumentationAttributeSet(scope.Attributes))
}
