package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.uber.org/goleak"

	"example.com/dice/shared/chance"
	"example.com/dice/shared/httpjson"
)

func TestTotalOfABatch(t *testing.T) {
	tests := []struct{ times, least, most int }{{1, 1, 6}, {2, 2, 12}, {1000, 3200, 3800}} // 1000 dice: 3500 ± 5.5σ
	for _, test := range tests {
		query := fmt.Sprintf("die=fair&times=%d", test.times)
		status, body := send(t.Context(), t, newTestRouter(0), http.MethodGet, "/roll-async", query)
		if status != http.StatusOK || body.Total < test.least || body.Total > test.most || body.Roll != 0 {
			t.Errorf("%s: status %d, body %+v, want a total from %d to %d", query, status, body, test.least, test.most)
		}
	}
}

// TestBatchLastsAsLongAsItsLongestWait also finds goroutines that are left: a bubble must not end with any.
func TestBatchLastsAsLongAsItsLongestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		status, _ := send(t.Context(), t, newTestRouter(time.Second), http.MethodGet, "/roll-async", "die=fair&times=1000")
		if took := time.Since(start); status != http.StatusOK || took > time.Second || took < 990*time.Millisecond {
			t.Errorf("status %d after %s, want 200 after nearly 1s", status, took)
		}
	})
}

// TestFirstFailureCancelsTheOtherRolls fails the first of the dice whose wait is over.
func TestFirstFailureCancelsTheOtherRolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := roller{chance: chance.New(1), maxWait: time.Hour}
		start := time.Now()
		var err error
		e := observe(t, func() { _, err = r.rollBatch(t.Context(), die{identifier: "broken", errorRate: 1}, 10) })
		if !errors.Is(err, errDieFailed) || time.Since(start) > 30*time.Minute {
			t.Errorf("error %v after %s", err, time.Since(start))
		}
		if len(e.spans) != 10 {
			t.Fatalf("%d spans, want 10", len(e.spans))
		}
		for i, span := range e.spans {
			want, code := "canceled", codes.Unset
			if i == 0 {
				want, code = "failed", codes.Error
			}
			attributes := attribute.NewSet(span.Attributes()...)
			if got, _ := attributes.Value("dice.roll.outcome"); got.AsString() != want || span.Status().Code != code {
				t.Errorf("roll %d: outcome %q, status %v, want %q and %s", i+1, got.AsString(), span.Status(), want, code)
			}
		}
	})
}

func TestCallerWhoGoesAwayEndsTheBatch(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	const active = "dice.roll.active {roll}{die.identifier=fair}"
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	e := observe(t, func() {
		before := counts(t)[active]
		go func() {
			defer cancel()
			for ctx.Err() == nil && counts(t)[active]-before < 1000 {
				time.Sleep(time.Millisecond)
			}
		}()
		status, _ := send(ctx, t, newTestRouter(time.Hour), http.MethodGet, "/roll-async", "die=fair&times=1000")
		if status != httpjson.StatusClientClosedRequest {
			t.Errorf("status %d, want %d", status, httpjson.StatusClientClosedRequest)
		}
	})
	if canceled := e.counts["dice.rolls {roll}{dice.roll.outcome=canceled,die.identifier=fair}"]; canceled != 1000 {
		t.Errorf("%d rolls counted as canceled, want 1000", canceled)
	}
}

// TestContextReachesEachRoll wants each roll below its request, which it is only with the request's context.
func TestContextReachesEachRoll(t *testing.T) {
	e := observe(t, func() {
		send(t.Context(), t, newTestRouter(0), http.MethodGet, "/roll-async", "die=fair&times=5")
	})
	request := e.span(t, "GET /roll-async")
	if len(e.spans) != 6 {
		t.Fatalf("spans %v, want five rolls and GET /roll-async", e.spans)
	}
	for _, roll := range e.spans[:5] {
		if roll.Name() != "roll die" || roll.Parent().SpanID() != request.SpanContext().SpanID() {
			t.Errorf("span %s is not a roll below GET /roll-async", roll.Name())
		}
	}
	for _, want := range []attribute.KeyValue{attribute.Int("dice.batch.size", 5), attribute.String("dice.batch.outcome", "rolled")} {
		if !slices.Contains(request.Attributes(), want) {
			t.Errorf("GET /roll-async lacks %v: %v", want, request.Attributes())
		}
	}
}

func TestMetricsOfABatch(t *testing.T) {
	router := newTestRouter(0)
	batches := func(added map[string]int64) (ok, failed int64) {
		return added["dice.batch.size {roll}{dice.batch.outcome=rolled,die.identifier=risky}"],
			added["dice.batch.size {roll}{dice.batch.outcome=failed,die.identifier=risky,error.type=die_failed}"]
	}
	var succeeded, failures int64
	added := observe(t, func() {
		for range 100 {
			switch status, _ := send(t.Context(), t, router, http.MethodGet, "/roll-async", "die=risky&times=5"); status {
			case http.StatusOK:
				succeeded++
			case http.StatusInternalServerError:
				failures++
			}
		}
	}).counts
	if ok, failed := batches(added); ok != succeeded || failed != failures || ok+failed != 100 || failed < 15 || failed > 67 { // 41 ± 5σ
		t.Errorf("%d batches and %d failed ones counted, the callers got %d and %d", ok, failed, succeeded, failures)
	}
	if left := added["dice.roll.active {roll}{die.identifier=risky}"]; left != 0 {
		t.Errorf("%d rolls are under way, want 0", left)
	}
}

func TestRollsUnderWayAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const active = "dice.roll.active {roll}{die.identifier=fair}"
		e := observe(t, func() {
			r := roller{chance: chance.New(1), maxWait: time.Hour}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			before := counts(t)[active]
			go func() {
				defer close(done)
				_, _ = r.rollBatch(ctx, die{identifier: "fair", faces: []int{1, 2, 3, 4, 5, 6}}, 7)
			}()
			synctest.Wait()
			if got := counts(t)[active] - before; got != 7 {
				t.Errorf("%d rolls under way, want 7", got)
			}
			cancel()
			<-done
		})
		if e.counts[active] != 0 {
			t.Errorf("%d rolls are still under way", e.counts[active])
		}
	})
}
