package stages

import (
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/internal/store"
	"example.com/dice/observability/upkeep/internal/probe"
)

// TestUsageRecords wants each log record at one tenant, the right one: those whose attribute usage is true, and the
// others. Loki is down for a while. Only the collector runs.
func TestUsageRecords(t *testing.T) {
	t.Parallel()
	const each = 100 // of each kind; thrice
	for _, name := range stageNames(t) {
		if !hasSignIn(name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			stage := load(t, name)
			stage.Services = nil
			s := start(t, stage)
			sent, err := probe.New(t.Context(), stage.OTLPGRPC.Address())
			if err != nil {
				t.Fatal(err)
			}
			send := func() {
				if err := sent.Send(t.Context(), each); err != nil {
					t.Error(err)
				}
			}
			send()
			s.Store.RefuseLogs(true)
			send()
			waitUntilRefused(t, s.Store)
			s.Store.RefuseLogs(false)
			send()
			waitForProbe(t, sent, s.Store)
			if err := sent.Close(t.Context()); err != nil {
				t.Error(err)
			}
			s.stop(t)
			if err := sent.Check(probeIDs(s.Store)); err != nil {
				t.Error(err)
			}
		})
	}
}

// waitUntilRefused waits until the store has refused records of both tenants, as if Loki were down.
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

// checkRuns wants a usage record of each run of the traffic generator, with who ran what.
func checkRuns(t errorer, s *store.Store, generated summary) {
	t.Helper()
	runs := 0
	for _, record := range s.Records() {
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

// checkTenants wants each record at its tenant.
func checkTenants(t *testing.T, s *store.Store) {
	t.Helper()
	for _, record := range s.Records() {
		if usage := record.Attributes["usage"] == "true"; usage != (record.Tenant == probe.Usage) {
			t.Errorf("tenant %s has the record %+v", record.Tenant, record)
		}
	}
}
