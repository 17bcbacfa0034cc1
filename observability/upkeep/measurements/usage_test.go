//go:build measurements

package measurements

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"example.com/dice/observability/upkeep/internal/engine"
	"example.com/dice/observability/upkeep/internal/probe"
	"example.com/dice/observability/upkeep/internal/stack"
	"example.com/dice/observability/upkeep/internal/table"
)

// TestUsage breaks one part of the last stage after the other under load, and counts the runs that users got an answer to and those
// of which Loki has no usage event. It writes a table of that stage's README.
func TestUsage(t *testing.T) {
	tb := table.New("fault", "runs answered", "events lost")
	for _, stacks := range []struct {
		name   string
		files  func(t *testing.T) string
		faults []fault
	}{
		{"queue of compose.yaml", func(*testing.T) string { return "compose.yaml" }, []fault{
			stopped("frontend stopped, and started again", "frontend", 0),
			killed("frontend"),
			stopped("collector stopped for 40 s", "collector", 40*time.Second),
		}},
		{"queue of 64 records", smallRecordQueue, []fault{
			stopped("collector stopped for 20 s, queue of 64 records", "collector", 20*time.Second),
		}},
	} {
		t.Run(stacks.name, func(t *testing.T) {
			s := stack.Start(t, repository, last, "NUM_USERS=1", "MAX_ROLLS_PER_USER=1", "COMPOSE_FILE="+stacks.files(t))
			s.WaitForTraffic(t)
			for _, f := range stacks.faults {
				answered, lost := f.tryUsage(t, s)
				t.Logf("%s: %d of %d lost", f.name, lost, answered)
				tb.Row(f.name, strconv.Itoa(answered), strconv.Itoa(lost))
			}
		})
	}
	writeTableTo(t, filepath.Join(repository, last, "README.md"), tb, "usage")
}

// stopped is a service that is told to stop, and started again after a while.
func stopped(what, service string, lasts time.Duration) fault {
	return fault{name: what, begin: compose("stop", service), lasts: lasts, end: compose("start", service)}
}

// smallRecordQueue returns the compose files of a stage whose frontend has little room for log records.
func smallRecordQueue(t *testing.T) string {
	t.Helper()
	const small = `services: {frontend: {environment: {OTEL_BLRP_MAX_QUEUE_SIZE: "64", OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: "64"}}}` + "\n"
	file := filepath.Join(t.TempDir(), "queue.yaml")
	if err := os.WriteFile(file, []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	return "compose.yaml" + string(os.PathListSeparator) + file
}

// tryUsage puts the fault in under load, takes it away, and waits until no event is missing or the services have given up on them.
func (f fault) tryUsage(t *testing.T, s *stack.Stack) (answered, lost int) {
	t.Helper()
	since := time.Now()
	l := startLoad(t, 8)
	wait(5 * time.Second)
	f.begin(t, s)
	wait(f.lasts)
	f.end(t, s)
	wait(5 * time.Second)
	for _, r := range l.end() {
		if r.status == http.StatusOK || r.status == http.StatusInternalServerError {
			answered++
		}
	}
	deadline := time.Now().Add(givesUp)
	err := stack.Poll(func() error {
		wait(time.Second)
		events, err := engine.Local.LogQLBetween(probe.Usage, `{event="dice.run"} | user_name =~ "Visitor.*"`, since, time.Now())
		lost = answered - len(events)
		if err == nil && lost > 0 && time.Now().Before(deadline) {
			err = fmt.Errorf("lost so far: %d", lost)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return answered, max(0, lost)
}
