package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"go.opentelemetry.io/otel/trace"
)

// logHandler writes records to the console, with the IDs of the context's span, and to OpenTelemetry, where
// the bridge adds the IDs itself. The bridge has no level of its own, so the console's applies to both.
type logHandler struct {
	console, bridge slog.Handler
	groups          []group // the first has no name; the console does not get them, because the IDs belong outside
}

type group struct {
	name  string
	attrs []slog.Attr
}

func newLogHandler(console, bridge slog.Handler) logHandler {
	return logHandler{console, bridge, []group{{}}}
}

func (h logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.console.Enabled(ctx, level)
}

func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	attrs := h.attrs(record)
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		attrs = slices.DeleteFunc(attrs, func(a slog.Attr) bool { return a.Key == "trace_id" || a.Key == "span_id" })
		attrs = append(attrs, slog.Any("trace_id", span.TraceID()), slog.Any("span_id", span.SpanID()))
	}
	line := slog.NewRecord(record.Time, record.Level, record.Message, record.PC)
	line.AddAttrs(attrs...)
	return errors.Join(h.console.Handle(ctx, line), h.bridge.Handle(ctx, record))
}

// attrs returns the attributes of the logger and of the record, each in its group.
func (h logHandler) attrs(record slog.Record) []slog.Attr {
	var attrs []slog.Attr
	record.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	for i, g := range slices.Backward(h.groups) {
		attrs = slices.Concat(g.attrs, attrs)
		if i > 0 {
			attrs = []slog.Attr{{Key: g.name, Value: slog.GroupValue(attrs...)}}
		}
	}
	return attrs
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.bridge = h.bridge.WithAttrs(attrs)
	h.groups = slices.Clone(h.groups)
	innermost := &h.groups[len(h.groups)-1]
	innermost.attrs = slices.Concat(innermost.attrs, attrs)
	return h
}

func (h logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	h.bridge = h.bridge.WithGroup(name)
	h.groups = append(slices.Clip(h.groups), group{name: name})
	return h
}
