package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/log/logtest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// emitted is the telemetry of a call.
type emitted struct {
	spans  []sdktrace.ReadOnlySpan // in the order in which they ended
	counts map[string]int64        // what the call added to each metric, by "name unit{attributes}"
	logs   []logtest.Record
}

// observe calls do, and returns what it emits.
func observe(t *testing.T, do func()) emitted {
	t.Helper()
	otel.SetTracerProvider(tracerProvider)
	otel.SetMeterProvider(meterProvider)
	spans, logs := tracetest.NewSpanRecorder(), logtest.NewRecorder()
	tracerProvider.RegisterSpanProcessor(spans)
	defer tracerProvider.UnregisterSpanProcessor(spans)
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(otelslog.NewHandler("test", otelslog.WithLoggerProvider(logs))))

	before := counts(t)
	do()
	added := counts(t)
	maps.DeleteFunc(added, func(name string, value int64) bool { return value == before[name] })
	for name := range added {
		added[name] -= before[name]
	}
	return emitted{spans.Ended(), added, slices.Concat(slices.Collect(maps.Values(logs.Result()))...)}
}

// counts returns how often each metric was recorded so far.
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

// span returns the only span with this name.
func (e emitted) span(t *testing.T, name string) sdktrace.ReadOnlySpan {
	t.Helper()
	named := slices.DeleteFunc(slices.Clone(e.spans), func(s sdktrace.ReadOnlySpan) bool { return s.Name() != name })
	if len(named) != 1 {
		t.Fatalf("%d spans %q in %v, want 1", len(named), name, e.spans)
	}
	return named[0]
}

// attributes returns a span's attributes as one text, in the order of their names.
func attributes(span sdktrace.ReadOnlySpan) string {
	set := attribute.NewSet(span.Attributes()...)
	return set.Encoded(attribute.DefaultEncoder())
}

// durationOf is the key in [emitted] of a request to GET /roll.
func durationOf(status int) string {
	failure := ""
	if status >= http.StatusInternalServerError {
		failure = fmt.Sprintf("error.type=%d,", status)
	}
	return fmt.Sprintf("http.server.request.duration s{%shttp.request.method=GET,http.response.status_code=%d,http.route=/roll,network.protocol.version=1.1,url.scheme=http}", failure, status)
}

// observeRoll sends requests until one has this status, and returns the response and the telemetry of that request.
func observeRoll(t *testing.T, die string, want int) (body reply, e emitted) {
	t.Helper()
	router := newTestRouter(0)
	for range 1000 {
		status := 0
		e = observe(t, func() { status, body = send(t.Context(), t, router, http.MethodGet, "/roll", "die="+die) })
		if status == want {
			return body, e
		}
	}
	t.Fatalf("no response with status %d in 1000 rolls", want)
	return body, e
}

// observeCanceledRoll returns the telemetry of a request whose caller has disconnected.
func observeCanceledRoll(t *testing.T) emitted {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return observe(t, func() { send(ctx, t, newTestRouter(10*time.Second), http.MethodGet, "/roll", "die=fair") })
}

func TestRollIsASpanBelowItsRequest(t *testing.T) {
	body, e := observeRoll(t, "fair", http.StatusOK)
	request, roll := e.span(t, "GET /roll"), e.span(t, "roll die")
	if roll.Parent().SpanID() != request.SpanContext().SpanID() {
		t.Error("roll die is not a child of GET /roll")
	}
	if request.SpanKind() != trace.SpanKindServer || roll.SpanKind() != trace.SpanKindInternal {
		t.Errorf("kinds %s and %s", request.SpanKind(), roll.SpanKind())
	}
	if got, want := attributes(roll), fmt.Sprintf("dice.roll.outcome=rolled,die.identifier=fair,die.value=%d", body.Roll); got != want {
		t.Errorf("attributes %s, want %s", got, want)
	}
}

func TestRollIsCountedOnceAndTimed(t *testing.T) {
	body, e := observeRoll(t, "fair", http.StatusOK)
	want := map[string]int64{
		fmt.Sprintf("dice.rolls {roll}{dice.roll.outcome=rolled,die.identifier=fair,die.value=%d}", body.Roll): 1,
		"dice.roll.wait s{}":      1,
		durationOf(http.StatusOK): 1,
	}
	if !maps.Equal(e.counts, want) {
		t.Errorf("counted %v\nwant %v", e.counts, want)
	}
}

func TestFailedRollIsAnErrorInEachSignal(t *testing.T) {
	_, e := observeRoll(t, "risky", http.StatusInternalServerError)
	roll := e.span(t, "roll die")
	if got, want := roll.Status(), (sdktrace.Status{Code: codes.Error, Description: errDieFailed.Error()}); got != want {
		t.Errorf("status of roll die: %v, want %v", got, want)
	}
	if got, want := attributes(roll), "dice.roll.outcome=failed,die.identifier=risky,error.type=die_failed"; got != want {
		t.Errorf("attributes %s, want %s", got, want)
	}
	if got := e.span(t, "GET /roll").Status().Code; got != codes.Error {
		t.Errorf("status of GET /roll: %v", got)
	}
	want := map[string]int64{
		"dice.rolls {roll}{dice.roll.outcome=failed,die.identifier=risky,error.type=die_failed}": 1,
		"dice.roll.wait s{}":                       1,
		durationOf(http.StatusInternalServerError): 1,
	}
	if !maps.Equal(e.counts, want) {
		t.Errorf("counted %v\nwant %v", e.counts, want)
	}
}

func TestCanceledRollIsNoError(t *testing.T) {
	e := observeCanceledRoll(t)
	if got := e.span(t, "roll die").Status().Code; got != codes.Unset {
		t.Errorf("status of roll die: %v", got)
	}
	if e.counts["dice.rolls {roll}{dice.roll.outcome=canceled,die.identifier=fair}"] != 1 {
		t.Errorf("counted %v", e.counts)
	}
}

func TestRefusedRequestIsNoRoll(t *testing.T) {
	_, e := observeRoll(t, "blue", http.StatusBadRequest)
	if want := map[string]int64{durationOf(http.StatusBadRequest): 1}; !maps.Equal(e.counts, want) {
		t.Errorf("counted %v\nwant %v", e.counts, want)
	}
	if got := e.span(t, "GET /roll").Status().Code; got != codes.Unset || len(e.spans) != 1 {
		t.Errorf("status %v, spans %v", got, e.spans)
	}
}

func TestOneLogRecordBelongsToEachRequest(t *testing.T) {
	of := func(_ reply, e emitted) emitted { return e }
	for want, e := range map[string]emitted{
		"INFO rolled":                      of(observeRoll(t, "fair", http.StatusOK)),
		"WARN roll refused":                of(observeRoll(t, "blue", http.StatusBadRequest)),
		"ERROR roll failed":                of(observeRoll(t, "risky", http.StatusInternalServerError)),
		"INFO roll canceled by the caller": observeCanceledRoll(t),
	} {
		if len(e.logs) != 1 {
			t.Errorf("%d records %v, want one: %s", len(e.logs), e.logs, want)
			continue
		}
		if got := e.logs[0].SeverityText + " " + e.logs[0].Body.AsString(); got != want {
			t.Errorf("record %s, want %s", got, want)
		}
		request, owner := e.span(t, "GET /roll").SpanContext(), trace.SpanContextFromContext(e.logs[0].Context)
		if owner.SpanID() != request.SpanID() {
			t.Errorf("%s: the record belongs to span %s, want %s", want, owner.SpanID(), request.SpanID())
		}
	}
}
