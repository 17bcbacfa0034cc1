package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdklog "go.opentelemetry.io/otel/sdk/log"
)

// emitted keeps the log records that do not come from slog.
type emitted struct {
	records []map[string]any
	times   []time.Time // when the events occurred
}

var events = new(emitted)

// The provider is set once: loggers keep to the first that there is.
func init() { otel.SetLoggerProvider(sdklog.NewLoggerProvider(sdklog.WithProcessor(events))) }

func (e *emitted) OnEmit(_ context.Context, r *sdklog.Record) error {
	record := map[string]any{"name": r.EventName(), "level": r.SeverityText(), "body": r.Body().AsString()}
	r.WalkAttributes(func(a attribute.KeyValue) bool {
		record[string(a.Key)] = a.Value.AsInterface()
		return true
	})
	e.records = append(e.records, record)
	e.times = append(e.times, r.Timestamp())
	return nil
}

func (*emitted) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }
func (*emitted) Shutdown(context.Context) error                         { return nil }
func (*emitted) ForceFlush(context.Context) error                       { return nil }

// recordsOf returns the log records that do makes: those of the service, which are also on the terminal, and those of usage.
func recordsOf(t *testing.T, do func()) (operational, usage []map[string]any) {
	t.Helper()
	var out bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&out, nil)))
	defer slog.SetDefault(before)
	events.records, events.times = nil, nil
	start := time.Now()
	do()
	for _, at := range events.times {
		if at.Before(start) || at.After(time.Now()) {
			t.Errorf("a usage record is of %s, not of now", at)
		}
	}
	for lines := json.NewDecoder(&out); lines.More(); {
		var record map[string]any
		if err := lines.Decode(&record); err != nil {
			t.Fatal(err)
		}
		operational = append(operational, record)
	}
	return operational, events.records
}

func TestUsageRecords(t *testing.T) {
	type record = map[string]any
	run := func(status int64, also record) record {
		ran := record{
			"name": "dice.run", "level": "INFO", "body": "ran", "usage": true, "event": "dice.run", "user.name": "Ada",
			"http.response.status_code": status,
		}
		maps.Copy(ran, also)
		return ran
	}
	tests := []struct {
		path, form string
		roll       int
		want       record // nil: none
	}{
		{"/sign-in", "name=+Grace+", 200, record{
			"name": "dice.sign_in", "level": "INFO", "body": "signed in", "usage": true, "event": "dice.sign_in", "user.name": "Grace",
		}},
		{"/sign-in", "name=%3Cb%3E", 200, nil},
		{"/sign-in", "name=Ada%0D%0A%7B%22usage%22:true%7D", 200, nil},
		{"/sign-in", "name=%zz", 200, nil},
		{"/sign-out", "", 200, nil},
		{"/", "die=fair", 200, run(200, record{"die.identifier": "fair", "dice.batch.size": int64(1)})},
		{"/", "die=risky&times=10", 500, run(500, record{"die.identifier": "risky", "dice.batch.size": int64(10)})},
		{"/", "die=invented%0AEve+signed+in", 400, run(400, nil)},
		{"/", "die=fair&times=many", 400, run(400, nil)},
		{"/", "die=fair", 503, run(503, nil)},
		{"/", "die=fair&user=Eve&usage=false", 200, run(200, record{"die.identifier": "fair", "dice.batch.size": int64(1)})},
		{"/", "die=%zz", 200, nil},
	}
	for _, test := range tests {
		t.Run(test.path+" "+test.form, func(t *testing.T) {
			operational, usage := recordsOf(t, func() { postTo(t.Context(), newTestRouter(t, replyWith(test.roll, "{}")), test.path, test.form) })
			if len(operational) != 1 {
				t.Errorf("%d records beside that of usage, want 1: %v", len(operational), operational)
			}
			if test.want == nil {
				if len(usage) > 0 {
					t.Errorf("usage %v, want none", usage)
				}
				return
			}
			if len(usage) != 1 || !maps.Equal(usage[0], test.want) {
				t.Errorf("usage %v\nwant  %v", usage, test.want)
			}
		})
	}
}

// TestRunWithoutAReplyIsUsage wants a record of what the user saw, also if the roll service is away or the user goes away.
func TestRunWithoutAReplyIsUsage(t *testing.T) {
	router := signedIn(t, newTestHandler(knownDice(), newRollService("http://127.0.0.1:1", time.Second)))
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for status, ctx := range map[int64]context.Context{503: t.Context(), 499: canceled} {
		_, usage := recordsOf(t, func() { post(ctx, router, "die=fair") })
		if len(usage) != 1 || usage[0]["http.response.status_code"] != status || usage[0]["user.name"] != "Ada" {
			t.Errorf("usage %v, want one record with the status %v", usage, status)
		}
	}
}
