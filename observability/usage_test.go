package observability_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/internal/probe"
	"example.com/dice/observability/internal/stage"
	"example.com/dice/observability/internal/store"
)

// stagesWithUsage returns the names of the stages whose collector sends usage records to a tenant of their own.
func stagesWithUsage(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(stages(t), func(name string) bool {
		tenants, err := stage.Tenants(root, name)
		if err != nil {
			t.Fatal(err)
		}
		return !slices.Contains(tenants, probe.Usage)
	})
}

// TestUsageRecords wants each log record at one tenant, the right one: those whose attribute usage is true, and the
// others. Loki is away for a while.
func TestUsageRecords(t *testing.T) {
	const each = 100 // of each kind; thrice
	for _, name := range stagesWithUsage(t) {
		t.Run(name, func(t *testing.T) {
			var sent *probe.Probe
			send := func(s *stage.Stage) {
				if sent == nil {
					var err error
					if sent, err = probe.New(t.Context(), s.OTLP()); err != nil {
						t.Fatal(err)
					}
				}
				if err := sent.Send(t.Context(), each); err != nil {
					t.Error(err)
				}
			}
			got, generated := run(t, name, func(running *stage.Running, s *stage.Stage) {
				send(s)
				running.Store.RefuseLogs(true)
				send(s)
				waitUntilRefused(t, running.Store)
				running.Store.RefuseLogs(false)
				send(s)
				waitForProbe(t, sent, running.Store)
				if err := sent.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
			if err := sent.Check(probeIDs(got)); err != nil {
				t.Error(err)
			}
			checkEvents(t, got, generated)
		})
	}
}

// waitUntilRefused waits until the records of both tenants have met a Loki that is away.
func waitUntilRefused(t *testing.T, s *store.Store) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); s.Refused(probe.Dice) == 0 || s.Refused(probe.Usage) == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Error("the collector did not try to send the records of both tenants within a minute")
			return
		}
	}
}

// waitForProbe waits until nothing of what was sent is missing.
func waitForProbe(t *testing.T, sent *probe.Probe, s *store.Store) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); sent.Check(probeIDs(s)) != nil && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
	}
}

// probeIDs returns the IDs of the probe's records that each tenant has.
func probeIDs(s *store.Store) map[string][]string {
	ids := make(map[string][]string)
	for _, record := range s.Records() {
		if record.Service == probe.Service {
			ids[record.Tenant] = append(ids[record.Tenant], record.Attributes[probe.ID])
		}
	}
	return ids
}

// checkEvents wants a usage record of each run, with who ran what, and none of them among the operational records.
func checkEvents(t *testing.T, s *store.Store, generated summary) {
	t.Helper()
	runs := 0
	for _, record := range s.Records() {
		if record.Service == probe.Service {
			continue
		}
		if usage := record.Attributes["usage"] == "true"; usage != (record.Tenant == probe.Usage) {
			t.Errorf("tenant %s has the record %+v", record.Tenant, record)
		}
		if record.Event != "dice.run" {
			continue
		}
		runs++
		for name := range strings.FieldsSeq("event user.name die.identifier dice.batch.size http.response.status_code") {
			if record.Attributes[name] == "" {
				t.Errorf("a run without %s: %+v", name, record)
			}
		}
	}
	equal(t, "runs among the usage records", runs, generated.Rolls)
}
