//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const outage = 30 * time.Second

// TestOutage takes parts of the stack away under traffic. It runs in the last stage, because it takes minutes and the stack
// is the same in all.
func TestOutage(t *testing.T) {
	for _, stage := range stages(t) {
		if !strings.HasPrefix(stage, "stage6-") {
			continue
		}
		t.Run(stage, func(t *testing.T) {
			s := start(t, repository, stage, "NUM_USERS=1", "MAX_ROLLS_PER_USER=1")
			rolls := s.waitForTraffic(t).dice()
			t.Run("collector stopped", func(t *testing.T) { rolls += withoutCollector(t, s) })
			t.Run("backends stopped", func(t *testing.T) { withoutBackends(t, s, rolls) })
			t.Run("Tempo killed", func(t *testing.T) { withTempoKilled(t, s) })
		})
	}
}

// withoutCollector wants traffic that does not notice. It returns the number of dice.
func withoutCollector(t *testing.T, s *stack) int {
	t.Helper()
	begin := time.Now()
	generated := s.traffic(t, 5, 150, func() {
		s.compose(t, "stop", "collector")
		wait(outage)
		s.compose(t, "start", "collector")
	})
	if generated.Replies["none"] > 0 {
		t.Errorf("requests without a reply: %v", generated.Replies)
	}
	p95, err := time.ParseDuration(generated.P95)
	if err != nil || p95 > 2*time.Second { // a roll waits for a second at most
		t.Errorf("95 %% of the replies took up to %s: requests hang", generated.P95)
	}
	eventually(t, "all requests, none of them longer than 2.5 s", func() error {
		all, err := total(`http_client_request_duration_seconds_count`)
		if err == nil && all < generated.Rolls {
			err = fmt.Errorf("%d of %d requests are there", all, generated.Rolls)
		}
		if err != nil {
			return err
		}
		return equals(func() (int, error) { return total(`http_client_request_duration_seconds_bucket{le="2.5"}`) }, all)
	})

	rolled := s.rolledSince(t, begin)
	eventually(t, "the last log record", func() error { return contain(logIDs, rolled[len(rolled)-1:]) })
	eventually(t, "the last trace", func() error { return contain(traceIDs, rolled[len(rolled)-1:]) })
	t.Logf("while the collector was away: logs: %v; traces: %v", contain(logIDs, rolled), contain(traceIDs, rolled))
	return generated.dice()
}

// withoutBackends wants all that the collector acknowledged, once the backends are back.
func withoutBackends(t *testing.T, s *stack, before int) {
	t.Helper()
	begin := time.Now()
	generated := s.traffic(t, 5, 150, func() {
		s.compose(t, "stop", "prometheus", "loki", "tempo")
		wait(outage)
		s.compose(t, "start", "prometheus", "loki", "tempo")
	})
	eventually(t, "the metrics", func() error {
		return equals(func() (int, error) { return total(`dice_rolls_total`) }, before+generated.dice())
	})
	rolled := s.rolledSince(t, begin)
	eventually(t, "the log records", func() error { return contain(logIDs, rolled) })
	eventually(t, "the traces", func() error { return contain(traceIDs, rolled) })
}

// withTempoKilled wants every trace but those of Tempo's last 5 seconds, which it holds in memory.
func withTempoKilled(t *testing.T, s *stack) {
	t.Helper()
	const held = 5 * time.Second
	var killed time.Time
	begin := time.Now()
	s.traffic(t, 5, 60, func() {
		wait(10 * time.Second)
		killed = time.Now()
		s.compose(t, "kill", "tempo")
		s.compose(t, "start", "tempo")
	})

	var safe, atRisk []string
	for _, record := range s.logs(t, "roll", "rolled") {
		at, id := idOf(t, record)
		switch {
		case at.Before(begin):
		case at.After(killed.Add(-held)) && at.Before(killed):
			atRisk = append(atRisk, id)
		default:
			safe = append(safe, id)
		}
	}
	eventually(t, "the traces", func() error { return contain(traceIDs, safe) })
	t.Logf("all of %d traces are there; of those of the last %s before the kill: %v", len(safe), held, contain(traceIDs, atRisk))
}

// rolledSince returns the trace ids of the rolls that the service wrote to the terminal, in their order.
func (s *stack) rolledSince(t *testing.T, begin time.Time) []string {
	t.Helper()
	var ids []string
	for _, record := range s.logs(t, "roll", "rolled") {
		if at, id := idOf(t, record); at.After(begin) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		t.Fatal("no rolls")
	}
	return ids
}

func idOf(t *testing.T, record map[string]any) (time.Time, string) {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(record["time"]))
	if err != nil {
		t.Fatal(err)
	}
	return at, fmt.Sprint(record["trace_id"])
}

// logIDs returns the trace ids of all rolls in Loki.
func logIDs() ([]string, error) {
	records, err := logQL(`{service_name="roll"} |= "rolled"`)
	var ids []string
	for _, record := range records {
		ids = append(ids, record["trace_id"])
	}
	return ids, err
}

// traceIDs returns the ids of all traces with a roll in Tempo.
func traceIDs() ([]string, error) { return traceQL(`{ name = "roll die" }`) }

// contain returns an error that says how many of the wanted ids a query does not find.
func contain(query func() ([]string, error), wanted []string) error {
	ids, err := query()
	if err != nil {
		return err
	}
	found := make(map[string]bool)
	for _, id := range ids {
		found[strings.Repeat("0", 32-len(id))+id] = true // Tempo leaves out leading zeros
	}
	missing := 0
	for _, id := range wanted {
		if !found[id] {
			missing++
		}
	}
	if missing > 0 {
		return fmt.Errorf("%d of %d are missing", missing, len(wanted))
	}
	return nil
}

// wait lets the fault last. It is the length of an outage, not the bound of a check.
func wait(d time.Duration) { <-time.After(d) }
