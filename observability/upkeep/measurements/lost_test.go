//go:build measurements

package measurements

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/upkeep/internal/stack"
)

const (
	batchDelay     = 3 * time.Second  // of spans and log records in a service: 1 s, and the time to send
	metricInterval = 7 * time.Second  // of metrics: 5 s, and the time to send
	tempoHolds     = 5 * time.Second  // spans in memory, with their way to it
	givesUp        = 50 * time.Second // a service, on a batch, and says so: OTEL_EXPORTER_OTLP_TIMEOUT is 30 s, and it repeats itself after 10 s
)

// acknowledged leaves in m what must be there, and returns the number of spans and log records, and whether any requests of a
// metric, that nobody had acknowledged: they were in the memory of what was killed, or their service reported the loss.
func (f fault) acknowledged(a *account, m missing) (missing, loss) {
	must := missing{counts: make(map[string]int)}
	var l loss
	for _, w := range m.spans {
		if f.tookAlong(w, batchDelay) || a.reported(w) || (f.killed == "tempo" && f.justBefore(w.at, tempoHolds)) {
			l.spans++
			continue
		}
		must.spans = append(must.spans, w)
	}
	for _, w := range m.logs {
		if f.tookAlong(w, batchDelay) || a.reported(w) {
			l.logs++
			continue
		}
		must.logs = append(must.logs, w)
	}
	for service, n := range m.counts {
		inMemory := a.requests(service, f.mended, func(w written) bool { return !f.tookAlong(w, metricInterval) })
		if n > 0 && n <= inMemory {
			l.counted += n
			continue
		}
		must.counts[service] = n
	}
	return must, l
}

// tookAlong reports whether the record's service was killed so soon after it that it had not been sent.
func (f fault) tookAlong(w written, unsent time.Duration) bool {
	return f.killed == w.service && f.justBefore(w.at, unsent)
}

// justBefore reports whether something was that short before the kill, which took from begun to broken.
func (f fault) justBefore(at time.Time, before time.Duration) bool {
	return at.After(f.begun.Add(-before)) && at.Before(f.broken)
}

// reported reports whether the service said, soon after the record, that it could not deliver telemetry.
func (a *account) reported(w written) bool {
	for _, at := range a.failed[w.service] {
		if at.After(w.at) && at.Before(w.at.Add(givesUp)) {
			return true
		}
	}
	return false
}

// loss is telemetry that is gone.
type loss struct{ spans, logs, counted int }

func (m missing) loss() loss {
	l := loss{spans: len(m.spans), logs: len(m.logs)}
	for _, n := range m.counts {
		l.counted += n
	}
	return l
}

func (l loss) String() string {
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{l.spans, "span"}, {l.logs, "log record"}, {l.counted, "counted request"}} {
		switch part.n {
		case 0:
		case 1:
			parts = append(parts, "1 "+part.what)
		default:
			parts = append(parts, fmt.Sprint(part.n, " ", part.what, "s"))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "0")
}

// untilRight waits until each service has done something since the fault was mended that Loki and Tempo have, and all from before
// it, unless the fault drops some of that. It returns how long that took.
func (f fault) untilRight(t *testing.T, s *stack.Stack, a *account) time.Duration {
	t.Helper()
	stack.Eventually(t, "all that was acknowledged before the fix, and something after it", func() error {
		wait(500 * time.Millisecond) // the engines have two cores, and other work
		a.read(t, s)
		fresh, err := a.firstAfter(f.mended)
		if err != nil {
			return err
		}
		if err := f.countedUntil(a, fresh); err != nil {
			return err
		}
		if f.drops {
			return nil
		}
		m, err := a.compare(fresh)
		if err != nil {
			return err
		}
		m.counts = nil // they are of this moment, not of that time
		must, _ := f.acknowledged(a, m)
		return must.err()
	})
	return time.Since(f.mended)
}

// firstAfter returns when the last service had its first request after a time, if Tempo has all of these.
func (a *account) firstAfter(mended time.Time) (time.Time, error) {
	var latest time.Time
	for _, service := range a.services {
		i := slices.IndexFunc(a.records, func(w written) bool { return w.service == service && w.at.After(mended) })
		if i < 0 {
			return latest, fmt.Errorf("%s had no request yet", service)
		}
		first := a.records[i]
		if !inTrace(first) {
			return latest, fmt.Errorf("Tempo has not yet %+v", first)
		}
		if first.at.After(latest) {
			latest = first.at
		}
	}
	return latest, nil
}

// countedUntil wants metrics that have the requests until a time, but for those that a killed service took along.
func (f fault) countedUntil(a *account, until time.Time) error {
	var errs []error
	for _, service := range a.services {
		want := a.requests(service, until, func(w written) bool { return f.tookAlong(w, metricInterval) })
		n, err := requests(service)
		if err == nil && n-a.counted[service] < want {
			err = fmt.Errorf("%s counted %d requests since the account began, and not yet %d", service, n-a.counted[service], want)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// untilComplete waits until all is there, and returns what is lost although it was acknowledged, which must be nothing unless
// the fault drops it, and what else is.
func (f fault) untilComplete(t *testing.T, s *stack.Stack, a *account) (acknowledged, other loss) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second) // for what nobody acknowledged, and that may still come
	err := stack.Poll(func() error {
		wait(500 * time.Millisecond)
		a.read(t, s)
		m, err := a.compare(time.Now())
		if err != nil {
			return err
		}
		var must missing
		must, other = f.acknowledged(a, m)
		acknowledged = must.loss()
		if f.drops && time.Now().After(deadline) {
			must.spans, must.logs = nil, nil
		}
		if err := must.err(); err != nil {
			return err
		}
		if other != (loss{}) && time.Now().Before(deadline) {
			return fmt.Errorf("lost so far: %s", other)
		}
		return nil
	})
	if err != nil {
		t.Errorf("all that was acknowledged: still after %s: %v", stack.Bound, err)
	}
	return acknowledged, other
}
