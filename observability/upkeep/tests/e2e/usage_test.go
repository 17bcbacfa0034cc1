//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"example.com/dice/observability/upkeep/internal/engine"
	"example.com/dice/observability/upkeep/internal/probe"
	"example.com/dice/observability/upkeep/internal/stack"
)

const (
	otlp   = "localhost:4317"
	outage = 30 * time.Second
)

// TestUsage wants each log record at one tenant, the right one, although Loki is stopped in between and the collector
// killed. It runs in stages whose collector sends usage records to a tenant of their own.
func TestUsage(t *testing.T) {
	for _, name := range stack.Stages(t, repository) {
		if name < "stage6" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			s := stack.Start(t, repository, name, "NUM_USERS=5", "MAX_ROLLS_PER_USER=20")
			generated := s.WaitForTraffic(t)
			sent := sendAroundOutage(t, s)
			stack.Eventually(t, "all records, each at its tenant", func() error {
				found := make(map[string][]string)
				for _, tenant := range []string{probe.Dice, probe.Usage} {
					records, err := engine.Local.LogQLOf(tenant, fmt.Sprintf("{service_name=%q}", probe.Service))
					if err != nil {
						return err
					}
					for _, record := range records {
						found[tenant] = append(found[tenant], record["probe_id"])
					}
				}
				return sent.Check(found)
			})
			checkRuns(t, generated.Rolls)
		})
	}
}

// sendAroundOutage sends records of all kinds before, while and after Loki is down. While it is down, the collector is
// killed: what it acknowledged is on disk.
func sendAroundOutage(t *testing.T, s *stack.Stack) *probe.Probe {
	t.Helper()
	const each = 100 // of each kind
	sent, err := probe.New(t.Context(), otlp)
	if err != nil {
		t.Fatal(err)
	}
	send := func() {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := sent.Send(ctx, each); err != nil {
			t.Fatal(err)
		}
	}
	send()
	s.Compose(t, "stop", "loki")
	send()
	wait(outage)
	s.Compose(t, "kill", "collector")
	s.Compose(t, "start", "collector")
	send()
	s.Compose(t, "start", "loki")
	send()
	if err := sent.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return sent
}

// checkRuns wants a usage record of each run, and none of them among the operational records.
func checkRuns(t *testing.T, runs int) {
	t.Helper()
	stack.Eventually(t, "runs", func() error {
		return equals(func() (int, error) {
			records, err := engine.Local.LogQLOf(probe.Usage, `{service_name="frontend",event="dice.run"} | user_name != "" | die_identifier != "" | dice_batch_size != "" | http_response_status_code != ""`)
			return len(records), err
		}, runs)
	})
	records, err := engine.Local.LogQL(`{service_namespace="dice"} | usage = "true"`) // the probe has no namespace
	if err != nil || len(records) > 0 {
		t.Errorf("%d usage records are operational: %v", len(records), err)
	}
}
