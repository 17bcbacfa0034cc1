package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// waited returns the sum of all waits that were recorded so far.
func waited(t *testing.T) float64 {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := metricReader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if waits, ok := m.Data.(metricdata.Histogram[float64]); ok && m.Name == "dice.roll.wait" {
				for _, point := range waits.DataPoints {
					sum += point.Sum
				}
			}
		}
	}
	return sum
}

// TestWaitIsRecordedInSeconds wants the time that a roll took in the histogram. On a fake clock all of it is the wait.
func TestWaitIsRecordedInSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		otel.SetMeterProvider(meterProvider)
		before, start := waited(t), time.Now()
		send(t.Context(), t, newTestRouter(time.Hour), http.MethodGet, "/roll", "die=fair")
		took := time.Since(start).Seconds()
		if got := waited(t) - before; took == 0 || math.Abs(got-took) > 1e-6 {
			t.Errorf("recorded %v s of %v s", got, took)
		}
	})
}

// TestOutcome wants every failure to be visible, also one that nobody has thought of.
func TestOutcome(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{nil, "o=rolled"},
		{context.Canceled, "o=canceled"},
		{fmt.Errorf("rolling: %w", errDieFailed), "error.type=die_failed,o=failed"},
		{errors.Join(errors.New("new"), errDieFailed), "error.type=die_failed,o=failed"},
		{context.DeadlineExceeded, "error.type=context.deadlineExceededError,o=failed"},
		{fmt.Errorf("rolling: %w", context.DeadlineExceeded), "error.type=context.deadlineExceededError,o=failed"},
		{fmt.Errorf("rolling: %w", context.Canceled), "o=canceled"},
		{errors.New("new"), "error.type=*errors.errorString,o=failed"},
	}
	for _, test := range tests {
		set := attribute.NewSet(outcome("o", test.err)...)
		if got := set.Encoded(attribute.DefaultEncoder()); got != test.want {
			t.Errorf("outcome of %v is %s, want %s", test.err, got, test.want)
		}
	}
}
