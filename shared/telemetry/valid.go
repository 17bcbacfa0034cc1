package telemetry

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Callers choose the values of some attributes, such as the user agent. OTLP accepts only UTF-8 and limits the size of a
// message, so a single invalid or huge value would lose everything that is sent with it.

const longestAttribute = 1 << 10 // characters

// credential is the user name of a request's Basic authentication, which otelchi copies into its span.
const credential attribute.Key = "enduser.id"

// spanLimits returns the limits set in the environment. The default for attribute values is 1024 characters.
func spanLimits() sdktrace.SpanLimits {
	limits := sdktrace.NewSpanLimits()
	if limits.AttributeValueLengthLimit < 0 {
		limits.AttributeValueLengthLimit = longestAttribute
	}
	return limits
}

// recordLimit returns the limit for attributes of log records: the one set in the environment, or the same as for spans.
func recordLimit() int {
	for _, name := range []string{"OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"} {
		if limit, err := strconv.Atoi(os.Getenv(name)); err == nil {
			return limit
		}
	}
	return longestAttribute
}

// validSpans exports spans with attributes in valid UTF-8 and without the caller's credential.
type validSpans struct{ sdktrace.SpanExporter }

func (e validSpans) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	valid := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, span := range spans {
		valid[i] = validSpan{span}
	}
	return e.SpanExporter.ExportSpans(ctx, valid)
}

type validSpan struct{ sdktrace.ReadOnlySpan }

func (s validSpan) Attributes() []attribute.KeyValue {
	return slices.DeleteFunc(valid(s.ReadOnlySpan.Attributes()), func(a attribute.KeyValue) bool { return a.Key == credential })
}

// validRecords makes the attributes of log records valid UTF-8. It must come before the processor that exports them.
type validRecords struct{}

func (validRecords) Enabled(context.Context, sdklog.EnabledParameters) bool { return false } // leaves the decision to the other processor

func (validRecords) OnEmit(_ context.Context, record *sdklog.Record) error {
	attributes := make([]attribute.KeyValue, 0, record.AttributesLen())
	record.WalkAttributes(func(a attribute.KeyValue) bool {
		attributes = append(attributes, a)
		return true
	})
	record.SetAttributes(valid(attributes)...)
	return nil
}

func (validRecords) Shutdown(context.Context) error   { return nil }
func (validRecords) ForceFlush(context.Context) error { return nil }

// valid returns attributes with invalid UTF-8 in strings, also in groups, replaced with the replacement character.
func valid(attributes []attribute.KeyValue) []attribute.KeyValue {
	all := make([]attribute.KeyValue, len(attributes))
	for i, a := range attributes {
		switch a.Value.Type() {
		case attribute.STRING:
			a.Value = attribute.StringValue(strings.ToValidUTF8(a.Value.AsString(), "\uFFFD"))
		case attribute.MAP:
			a.Value = attribute.MapValue(valid(a.Value.AsMap())...)
		default: // not a string; callers choose no lists of strings here
		}
		all[i] = a
	}
	return all
}
