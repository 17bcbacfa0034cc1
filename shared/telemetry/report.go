package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	repeatAfter  = 10 * time.Second // the least time between two lines with the same message
	mostMessages = 100              // different ones in that time
)

// reporter writes the SDK's own errors and warnings to the console only. If they went through the logger provider, an error
// about exporting logs would create another log record to export.
//
// A message is written at once. If it occurs again, a second line says how often, 10 seconds later or when the SDK stops.
type reporter struct {
	console *slog.Logger
	secrets *strings.Replacer

	mu           sync.Mutex
	recent       map[string]*message // by text and details
	droppedSpans uint64              // so far
}

type message struct {
	text     string
	details  []slog.Attr
	dropped  uint64 // spans or log records
	repeated int
}

func newReporter(console slog.Handler) *reporter {
	return &reporter{console: slog.New(console), secrets: secrets(), recent: make(map[string]*message)}
}

// Handle reports what the SDK logs: errors; warnings, which have the level -1; and dropped spans. The SDK does not warn of those:
// a message for debugging, about the spans that it exports, has their total.
func (r *reporter) Handle(_ context.Context, record slog.Record) error {
	m := message{text: record.Message}
	record.Attrs(func(a slog.Attr) bool {
		switch number := a.Value.Kind() == slog.KindUint64; {
		case number && a.Key == "total_dropped":
			m.text, m.dropped = "dropped spans", r.newlyDropped(a.Value.Uint64())
		case number && a.Key == "dropped":
			m.dropped = a.Value.Uint64()
		case a.Key == "err":
			m.text += ": " + a.Value.String()
		case record.Level >= -1:
			m.details = append(m.details, slog.String(a.Key, repair(r.secrets.Replace(a.Value.String()), longest)))
		}
		return true
	})
	if record.Level >= -1 || m.dropped > 0 {
		r.report(m)
	}
	return nil
}

// newlyDropped returns the number of spans that were dropped since the total was lower.
func (r *reporter) newlyDropped(total uint64) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.droppedSpans
	r.droppedSpans = max(before, total)
	return r.droppedSpans - before
}

// Enabled wants messages of all levels, because of the dropped spans.
func (*reporter) Enabled(context.Context, slog.Level) bool { return true }

func (r *reporter) WithAttrs([]slog.Attr) slog.Handler { return r } // not called by the SDK, nor is the next
func (r *reporter) WithGroup(string) slog.Handler      { return r }

func (r *reporter) report(m message) {
	m.text = r.secrets.Replace(m.text)
	r.mu.Lock()
	defer r.mu.Unlock()
	key := m.text + slog.GroupValue(m.details...).String()
	if len(r.recent) >= mostMessages && r.recent[key] == nil {
		key, m.text, m.details = "", "other messages of the SDK", nil
	}
	if before := r.recent[key]; before != nil {
		before.repeated++
		before.dropped += m.dropped
		return
	}
	r.write(m)
	m.dropped = 0
	r.recent[key] = &m
	time.AfterFunc(repeatAfter, func() { r.summarize(key) })
}

// summarize writes how often a message was repeated, and forgets it if it was not.
func (r *reporter) summarize(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.recent[key]
	if m == nil || m.repeated == 0 {
		delete(r.recent, key)
		return
	}
	r.write(*m)
	m.repeated, m.dropped = 0, 0
	time.AfterFunc(repeatAfter, func() { r.summarize(key) })
}

// stop writes what has not been written yet.
func (r *reporter) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.recent {
		if m.repeated > 0 {
			r.write(*m)
		}
	}
	clear(r.recent)
}

func (r *reporter) write(m message) {
	attrs := []any{slog.String("error", repair(m.text, longest)), slog.GroupAttrs("", m.details...)}
	if m.dropped > 0 {
		attrs = append(attrs, slog.Uint64("dropped", m.dropped))
	}
	if m.repeated > 0 {
		attrs = append(attrs, slog.Int("repeated", m.repeated))
	}
	r.console.Warn("telemetry error", attrs...)
}

// redact returns the error without secrets.
func (r *reporter) redact(err error) error {
	if err == nil || r.secrets.Replace(err.Error()) == err.Error() {
		return err
	}
	return errors.New(r.secrets.Replace(err.Error()))
}

// secrets replaces the values of the OTLP headers, which a backend may quote when it refuses them.
func secrets() *strings.Replacer {
	var pairs []string
	for _, name := range expand("OTEL_EXPORTER_OTLP_{,TRACES_,METRICS_,LOGS_}HEADERS") {
		for _, header := range elements(os.Getenv(name)) {
			_, value, _ := strings.Cut(header, "=")
			decoded, _ := url.PathUnescape(value)
			for _, word := range append(strings.Fields(decoded), value) {
				if len(word) >= 8 { // shorter words may be part of any message
					pairs = append(pairs, word, "[redacted]")
				}
			}
		}
	}
	return strings.NewReplacer(pairs...)
}
