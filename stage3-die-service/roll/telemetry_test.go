package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"example.com/dice/shared/httpjson"
)

// spansInOrder returns the spans that do makes, in the order of their ends.
func spansInOrder(t *testing.T, do func()) []sdktrace.ReadOnlySpan {
	t.Helper()
	otel.SetTracerProvider(tracerProvider)
	recorder := tracetest.NewSpanRecorder()
	tracerProvider.RegisterSpanProcessor(recorder)
	defer tracerProvider.UnregisterSpanProcessor(recorder)
	do()
	return recorder.Ended()
}

// spansOf returns the spans that do makes, by name.
func spansOf(t *testing.T, do func()) map[string]sdktrace.ReadOnlySpan {
	t.Helper()
	spans := make(map[string]sdktrace.ReadOnlySpan)
	for _, span := range spansInOrder(t, do) {
		if spans[span.Name()] != nil {
			t.Errorf("two spans named %q", span.Name())
		}
		spans[span.Name()] = span
	}
	return spans
}

// counts returns how often each metric was recorded so far: "name{attributes}" to count.
func counts(t *testing.T) map[string]int64 {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := metricReader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]int64)
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch points := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, point := range points.DataPoints {
					got[series(m, point.Attributes)] = point.Value
				}
			case metricdata.Histogram[float64]:
				for _, point := range points.DataPoints {
					got[series(m, point.Attributes)] = int64(point.Count)
				}
			}
		}
	}
	return got
}

func series(m metricdata.Metrics, attributes attribute.Set) string {
	return m.Name + " " + m.Unit + "{" + attributes.Encoded(attribute.DefaultEncoder()) + "}"
}

// countsOf returns what do adds to each metric.
func countsOf(t *testing.T, do func()) map[string]int64 {
	t.Helper()
	otel.SetMeterProvider(meterProvider)
	before := counts(t)
	do()
	added := counts(t)
	maps.DeleteFunc(added, func(name string, value int64) bool { return value == before[name] })
	for name := range added {
		added[name] -= before[name]
	}
	return added
}

// rollUntil sends requests until one has this status.
func rollUntil(t *testing.T, router http.Handler, want int, query string) {
	t.Helper()
	for range 1000 {
		if status, _ := send(t.Context(), t, router, http.MethodGet, "/roll", query); status == want {
			return
		}
	}
	t.Fatalf("no response with status %d in 1000 rolls", want)
}

func TestSpansOfARoll(t *testing.T) {
	var body reply
	spans := spansOf(t, func() {
		_, body = send(t.Context(), t, newTestRouter(0), http.MethodGet, "/roll", "die=fair")
	})
	server, roll := spans["GET /roll"], spans["roll die"]
	if len(spans) != 2 || server == nil || roll == nil {
		t.Fatalf("spans %v, want GET /roll and roll die", spans)
	}
	if server.SpanKind() != trace.SpanKindServer || roll.SpanKind() != trace.SpanKindInternal {
		t.Errorf("kinds %s and %s", server.SpanKind(), roll.SpanKind())
	}
	if roll.Parent().SpanID() != server.SpanContext().SpanID() {
		t.Error("roll die is not a child of GET /roll")
	}
	want := attribute.NewSet(attribute.String("die.identifier", "fair"), attribute.String("dice.roll.outcome", "rolled"), attribute.Int("die.value", body.Roll))
	if got := attribute.NewSet(roll.Attributes()...); !got.Equals(&want) {
		t.Errorf("attributes of roll die: %v", roll.Attributes())
	}
	if server.Status().Code != codes.Unset || roll.Status().Code != codes.Unset {
		t.Errorf("status %v and %v", server.Status(), roll.Status())
	}
}

func TestSpansOfAFailedRoll(t *testing.T) {
	router := newTestRouter(0)
	for range 1000 {
		var status int
		spans := spansOf(t, func() {
			status, _ = send(t.Context(), t, router, http.MethodGet, "/roll", "die=risky")
		})
		if status != http.StatusInternalServerError {
			continue
		}
		if got := spans["GET /roll"].Status().Code; got != codes.Error {
			t.Errorf("status of GET /roll: %v", got)
		}
		if got, want := spans["roll die"].Status(), (sdktrace.Status{Code: codes.Error, Description: errDieFailed.Error()}); got != want {
			t.Errorf("status of roll die: %v, want %v", got, want)
		}
		want := attribute.NewSet(attribute.String("die.identifier", "risky"), attribute.String("dice.roll.outcome", "failed"), attribute.String("error.type", "die_failed"))
		if got := attribute.NewSet(spans["roll die"].Attributes()...); !got.Equals(&want) {
			t.Errorf("attributes of roll die: %v", spans["roll die"].Attributes())
		}
		return
	}
	t.Fatal("no roll failed")
}

func TestCanceledRollIsNoError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	spans := spansOf(t, func() {
		added := countsOf(t, func() {
			send(ctx, t, newTestRouter(time.Hour), http.MethodGet, "/roll", "die=fair")
		})
		if added["dice.rolls {roll}{dice.roll.outcome=canceled,die.identifier=fair}"] != 1 {
			t.Errorf("counted %v", added)
		}
	})
	if got := spans["roll die"].Status().Code; got != codes.Unset {
		t.Errorf("status of roll die: %v", got)
	}
}

func TestMetricsOfRolls(t *testing.T) {
	router := newTestRouter(0)
	var value int
	got := countsOf(t, func() {
		_, body := send(t.Context(), t, router, http.MethodGet, "/roll", "die=fair")
		value = body.Roll
	})
	want := map[string]int64{
		"dice.rolls {roll}{dice.roll.outcome=rolled,die.identifier=fair,die.value=" + string(rune('0'+value)) + "}": 1,
		"dice.roll.wait s{}": 1,
		"http.server.request.duration s{http.request.method=GET,http.response.status_code=200,http.route=/roll,network.protocol.version=1.1,url.scheme=http}": 1,
	}
	if !maps.Equal(got, want) {
		t.Errorf("a roll counted %v\nwant %v", got, want)
	}

	failed := countsOf(t, func() { rollUntil(t, router, http.StatusInternalServerError, "die=risky") })
	for _, name := range []string{
		"dice.rolls {roll}{dice.roll.outcome=failed,die.identifier=risky,error.type=die_failed}",
		"http.server.request.duration s{error.type=500,http.request.method=GET,http.response.status_code=500,http.route=/roll,network.protocol.version=1.1,url.scheme=http}",
	} {
		if failed[name] != 1 {
			t.Errorf("a failed roll counted %v, want 1 of %s", failed, name)
		}
	}

	refused := countsOf(t, func() { send(t.Context(), t, router, http.MethodGet, "/roll", "die=blue") })
	want = map[string]int64{
		"http.server.request.duration s{http.request.method=GET,http.response.status_code=400,http.route=/roll,network.protocol.version=1.1,url.scheme=http}": 1,
	}
	if !maps.Equal(refused, want) {
		t.Errorf("a refused roll counted %v\nwant %v", refused, want)
	}
}

func TestOneLogRecordForEachRequest(t *testing.T) {
	var out bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&out, nil)))
	defer slog.SetDefault(before)

	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		ctx            context.Context
		maxWait        time.Duration
		query          string
		status         int
		level, message string
	}{
		{t.Context(), 0, "die=fair", http.StatusOK, "INFO", "rolled"},
		{t.Context(), 0, "die=blue", http.StatusBadRequest, "WARN", "roll refused"},
		{t.Context(), 0, "die=risky", http.StatusInternalServerError, "ERROR", "roll failed"},
		{canceled, time.Hour, "die=fair", httpjson.StatusClientClosedRequest, "INFO", "roll canceled by the caller"},
	}
	for _, test := range tests {
		t.Run(test.message, func(t *testing.T) {
			router := newTestRouter(test.maxWait)
			status := 0
			for try := 0; status != test.status && try < 1000; try++ {
				out.Reset()
				status, _ = send(test.ctx, t, router, http.MethodGet, "/roll", test.query)
			}
			var record struct{ Level, Msg string }
			if err := json.Unmarshal(out.Bytes(), &record); err != nil {
				t.Fatalf("not one record: %v\n%s", err, out.String())
			}
			if status != test.status || record.Level != test.level || record.Msg != test.message {
				t.Errorf("status %d logged %+v", status, record)
			}
		})
	}
}
