package doctor

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

const (
	fewExports = 3
	recently   = 2500 * time.Millisecond // doctor sets an interval of about a second
)

// flushing are the languages whose SDKs export metrics once more when they are shut down.
var flushing = setOf("go", "java", "python", "nodejs", "dotnet")

// exports is what is known of the exports of metrics of a process.
type exports struct {
	flushes bool // whether the SDK exports once more when it is shut down
	n       int
	last    time.Time
}

func (e *exports) add(resource pcommon.Map, now time.Time) {
	if language, ok := resource.Get("telemetry.sdk.language"); ok {
		e.flushes = flushing[language.AsString()]
	}
	e.n++
	e.last = now
}

// Stopping notes that COMMAND is asked to stop at a time. The zero time means that it was killed instead.
func (j *Judge) Stopping(at time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stopping = at
}

// unflushed looks for a process that sent metrics regularly until it was asked to stop, and none afterwards. With several processes
// it is not sure which of them was still running.
func (j *Judge) unflushed() {
	if j.stopping.IsZero() || len(j.processes) != 1 {
		return
	}
	for _, p := range j.processes {
		e := p.metrics
		if before := j.stopping.Sub(e.last); e.flushes && e.n >= fewExports && before > 0 && before < recently {
			j.find("stop-no-flush", p.service.name, Evidence{
				What: "service", Name: p.service.name, Detail: fmt.Sprintf("%d exports of metrics before the stop, none after it", e.n),
			})
		}
	}
}
