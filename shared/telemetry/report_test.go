package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
)

// line is what the reporter writes.
type line struct {
	Level, Msg, Error, Name string
	Dropped, Repeated       int
}

// buffer is for concurrent use.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// take returns what was written since it was called before.
func (b *buffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.buf.Reset()
	return b.buf.String()
}

func lines(t *testing.T, out *buffer) (all []line) {
	t.Helper()
	for text := range strings.Lines(out.take()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("not a JSON line: %s", text)
		}
		if l.Level != "WARN" || l.Msg != "telemetry error" {
			t.Errorf("the line %s is not a telemetry error", text)
		}
		all = append(all, line{Error: l.Error, Name: l.Name, Dropped: l.Dropped, Repeated: l.Repeated})
	}
	return all
}

func wantLines(t *testing.T, out *buffer, want ...line) {
	t.Helper()
	synctest.Wait()
	if got := lines(t, out); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestReporterWritesEachMessageOnceAndCountsItsRepetitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out buffer
		r := newReporter(slog.NewJSONHandler(&out, nil))
		sdk := logr.FromSlogHandler(r)
		warn, debug := sdk.V(1), sdk.V(8)

		sdk.V(4).Info("created", "name", "x")
		debug.Info("collected", "name", "x")
		wantLines(t, &out)

		for range 3 {
			warn.Info("invalid", "name", "a")
			warn.Info("invalid", "name", "b")
			warn.Info("dropped log records", "dropped", uint64(5))
		}
		sdk.Error(errors.New("refused"), "parsing", "name", "c")
		wantLines(t, &out, line{Error: "invalid", Name: "a"}, line{Error: "invalid", Name: "b"},
			line{Error: "dropped log records", Dropped: 5}, line{Error: "parsing: refused", Name: "c"})

		time.Sleep(repeatAfter - time.Nanosecond)
		wantLines(t, &out)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if got := out.take(); strings.Count(got, "\n") != 3 || !strings.Contains(got, `"dropped":10,"repeated":2`) {
			t.Errorf("after %s: %s", repeatAfter, got)
		}

		time.Sleep(repeatAfter + 1)
		warn.Info("invalid", "name", "a")
		wantLines(t, &out, line{Error: "invalid", Name: "a"})

		debug.Info("exporting spans", "count", 10, "total_dropped", uint32(0))
		wantLines(t, &out)
		debug.Info("exporting spans", "count", 10, "total_dropped", uint32(7))
		debug.Info("exporting spans", "count", 10, "total_dropped", uint32(7))
		debug.Info("exporting spans", "count", 10, "total_dropped", uint32(9))
		wantLines(t, &out, line{Error: "dropped spans", Dropped: 7})

		r.stop()
		wantLines(t, &out, line{Error: "dropped spans", Dropped: 2, Repeated: 1})
		time.Sleep(2 * repeatAfter)
		wantLines(t, &out)
	})
}

func TestDetailsOfAMessageAreRedactedAndCut(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20swordfish")
	var out buffer
	warn := logr.FromSlogHandler(newReporter(slog.NewJSONHandler(&out, nil))).V(1)
	warn.Info("invalid", "name", "swordfish")
	warn.Info("invalid", "name", strings.Repeat("x", 1<<20))
	got := lines(t, &out)
	if len(got) != 2 || got[0].Name != "[redacted]" || len(got[1].Name) > longest {
		t.Errorf("%.1000v", got)
	}
}

func TestReporterDoesNotFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out buffer
		r := newReporter(slog.NewJSONHandler(&out, nil))
		for i := range 10 * mostMessages {
			r.report(message{text: fmt.Sprint("message ", i)})
		}
		if got := lines(t, &out); len(got) != mostMessages+1 {
			t.Errorf("%d lines", len(got))
		}
		r.report(message{text: strings.Repeat("x", 1<<20)})
		r.stop()
		wantLines(t, &out, line{Error: "other messages of the SDK", Repeated: 9 * mostMessages})
		r.report(message{text: strings.Repeat("x", 1<<20)})
		if size := len(out.take()); size > 2*longest {
			t.Errorf("a line of %d bytes", size)
		}
	})
}
