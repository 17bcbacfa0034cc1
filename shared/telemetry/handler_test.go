package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"

	"go.opentelemetry.io/otel/trace"
)

// TestHandlerObeysTheRulesOfSlog checks both destinations with the standard library's own test.
func TestHandlerObeysTheRulesOfSlog(t *testing.T) {
	for _, destination := range []string{"console", "bridge"} {
		var out bytes.Buffer
		slogtest.Run(t, func(*testing.T) slog.Handler {
			out.Reset()
			if destination == "console" {
				return newLogHandler(slog.NewJSONHandler(&out, nil), slog.DiscardHandler)
			}
			return newLogHandler(slog.NewJSONHandler(new(bytes.Buffer), nil), slog.NewJSONHandler(&out, nil))
		}, func(t *testing.T) (line map[string]any) {
			if err := json.Unmarshal(out.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			return line
		})
	}
}

func TestTraceIDStaysAtTheTopLevel(t *testing.T) {
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
	ctx := trace.ContextWithSpanContext(context.Background(), span)
	const ids = `"trace_id":"01000000000000000000000000000000","span_id":"0200000000000000"`
	tests := map[string]struct {
		with func(*slog.Logger) *slog.Logger
		args []any
		want string // of the line, after the message
	}{
		"nothing":            {func(l *slog.Logger) *slog.Logger { return l }, nil, ids},
		"attribute":          {func(l *slog.Logger) *slog.Logger { return l.With("a", 1) }, []any{"b", 2}, `"a":1,"b":2,` + ids},
		"group":              {func(l *slog.Logger) *slog.Logger { return l.WithGroup("g") }, []any{"b", 2}, `"g":{"b":2},` + ids},
		"empty group":        {func(l *slog.Logger) *slog.Logger { return l.WithGroup("g") }, nil, ids},
		"group without name": {func(l *slog.Logger) *slog.Logger { return l.WithGroup("") }, []any{"b", 2}, `"b":2,` + ids},
		"mixed": {func(l *slog.Logger) *slog.Logger {
			return l.With("a", 1).WithGroup("g").With("b", 2).WithGroup("h").With("c", 3)
		}, []any{"d", 4}, `"a":1,"g":{"b":2,"h":{"c":3,"d":4}},` + ids},
		"attributes of a group only": {func(l *slog.Logger) *slog.Logger { return l.WithGroup("g").With("b", 2).WithGroup("h") }, nil, `"g":{"b":2},` + ids},
		"group as attribute":         {func(l *slog.Logger) *slog.Logger { return l.With(slog.Group("g", "a", 1)) }, []any{slog.Group("g", "b", 2)}, `"g":{"a":1},"g":{"b":2},` + ids},
		"two groups of one parent": {func(l *slog.Logger) *slog.Logger {
			parent := l.WithGroup("g").WithGroup("h")
			child := parent.WithGroup("i")
			_ = parent.WithGroup("j")
			return child
		}, []any{"b", 2}, `"g":{"h":{"i":{"b":2}}},` + ids},
		"own trace_id":          {func(l *slog.Logger) *slog.Logger { return l.With("trace_id", "x") }, []any{"span_id", "y", "b", 2}, `"b":2,` + ids},
		"own trace_id, grouped": {func(l *slog.Logger) *slog.Logger { return l.WithGroup("g").With("trace_id", "x") }, []any{"span_id", "y"}, `"g":{"trace_id":"x","span_id":"y"},` + ids},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var out, sent bytes.Buffer
			base := slog.New(newLogHandler(slog.NewJSONHandler(&out, nil), slog.NewJSONHandler(&sent, nil)))
			logger := test.with(base)
			_ = test.with(base).With("another", 1).WithGroup("logger").With("of", "the same parent")
			logger.InfoContext(ctx, "worked", test.args...)
			_, got, _ := strings.Cut(strings.TrimSpace(out.String()), `"msg":"worked",`)
			if got != test.want+"}" {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if strings.Contains(sent.String(), span.TraceID().String()) {
				t.Errorf("the bridge got the IDs as attributes: %s", &sent)
			}
			out.Reset()
			logger.Info("worked", test.args...)
			if strings.Contains(out.String(), span.TraceID().String()) {
				t.Errorf("without a span: %s", &out)
			}
		})
	}
}
