package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

func knownDice() dieService {
	return dieService{client: &http.Client{Transport: inProcess(replyWith(http.StatusOK, `{"identifiers":["fair","risky"]}`))}}
}

func TestDieServiceFails(t *testing.T) {
	slow := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name   string
		ctx    context.Context
		answer http.HandlerFunc // nil: the service is down
		status int
		output string
	}{
		{"down", t.Context(), nil, 503, "503 Service Unavailable\nthe die service cannot be reached; try again later"},
		{"slow", t.Context(), slow, 504, "504 Gateway Timeout\nthe die service took too long; try again later"},
		{"unavailable", t.Context(), replyWith(503, "{}"), 503, "503 Service Unavailable\nthe die service is not available; try again later"},
		{"no JSON", t.Context(), replyWith(200, "<html>"), 502, "502 Bad Gateway\nthe die service sent an invalid response"},
		{"no identifiers", t.Context(), replyWith(200, "{}"), 502, "502 Bad Gateway\nthe die service sent an invalid response"},
		{"failing", t.Context(), replyWith(500, "{}"), 502, "502 Bad Gateway\nthe die service sent an invalid response"},
		{"user gone", canceled, slow, 499, "499 \ncanceled by the caller"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server, timeout := httptest.NewServer(test.answer), 10*time.Second
			defer server.Close()
			switch test.name {
			case "down":
				server.Close()
			case "slow":
				timeout = 50 * time.Millisecond
			}
			rolls := httptest.NewServer(replyWith(http.StatusOK, "{}"))
			defer rolls.Close()
			router := newRouter(newHandler(newDieService(server.URL, timeout), newRollService(rolls.URL, 10*time.Second), "http://grafana"))

			recorder := httptest.NewRecorder()
			router.ServeHTTP(recorder, httptest.NewRequestWithContext(test.ctx, http.MethodGet, "/", nil))
			opened := readPage(t, recorder)
			if opened.status != test.status || opened.output != test.output || len(opened.dice) > 0 {
				t.Errorf("status %d, output %q, dice %v\nwant   %d, %q, none", opened.status, opened.output, opened.dice, test.status, test.output)
			}
			if test.ctx.Err() != nil {
				return
			}
			if bad := readPage(t, post(test.ctx, router, "die=%zz")); bad.status != http.StatusBadRequest || len(bad.dice) > 0 {
				t.Errorf("a bad form: status %d, dice %q, want none", bad.status, bad.dice)
			}
			ran := readPage(t, post(test.ctx, router, "die=risky"))
			if ran.status != http.StatusOK || ran.output != "200 OK\n{}" || !slices.Equal(ran.dice, []string{"risky"}) {
				t.Errorf("a run: status %d, output %q, dice %v, want the roll service's reply and the chosen die", ran.status, ran.output, ran.dice)
			}
		})
	}
}

func TestThirdDieIsOnThePage(t *testing.T) {
	dice := httptest.NewServer(replyWith(http.StatusOK, `{"identifiers":["fair","risky","<b>loaded</b>"]}`))
	defer dice.Close()
	router := newRouter(newHandler(newDieService(dice.URL, 10*time.Second), newRollService(dice.URL, time.Second), "http://grafana"))
	if got := readPage(t, get(t, router)); !slices.Equal(got.dice, []string{"fair", "risky", "<b>loaded</b>"}) {
		t.Errorf("dice %v", got.dice)
	}
}

// TestRetryIsASiblingSpan wants a span for each attempt, side by side.
func TestRetryIsASiblingSpan(t *testing.T) {
	away := httptest.NewServer(nil)
	away.Close()
	spans := spansOf(t, func() {
		get(t, newRouter(newHandler(newDieService(away.URL, 10*time.Second), newRollService(away.URL, time.Second), "http://grafana")))
	})
	if len(spans) != 3 {
		t.Fatalf("spans %v, want two attempts and GET /", spans)
	}
	for _, attempt := range spans[:2] {
		if attempt.Name() != "GET /dice" || attempt.SpanKind() != trace.SpanKindClient || attempt.Status().Code != codes.Error {
			t.Errorf("attempt %s, kind %s, status %v", attempt.Name(), attempt.SpanKind(), attempt.Status())
		}
		if attempt.Parent().SpanID() != spans[2].SpanContext().SpanID() {
			t.Error("an attempt is not a child of GET /")
		}
	}
}

// FuzzDiceReply wants the dice of a reply to be on the page, or the page to say that the response is invalid.
func FuzzDiceReply(f *testing.F) {
	for _, seed := range []string{
		`{"identifiers":["fair","risky"]}`, `{"identifiers":[]}`, `{"identifiers":null}`, `{"identifiers":{}}`, `{"identifiers":[1]}`, `null`, ``,
		`{"identifiers":["<b>","\u0000","\ud800"," a\r\n"]}`, `{"IDENTIFIERS":["x","x"]}`, `{"identifiers":["a"]}{}`, "{\"identifiers\":[\"\xff\"]}",
	} {
		f.Add(uint16(200), []byte(seed))
	}
	f.Add(uint16(404), []byte(`{"error":"<b>"}`))
	f.Add(uint16(503), []byte(`{"error":7}`))
	var status int
	var body []byte
	dice := dieService{client: &http.Client{Transport: inProcess(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})}}
	router := newRouter(newHandler(dice, rollService{}, "http://grafana"))
	f.Fuzz(func(t *testing.T, code uint16, text []byte) {
		status, body = max(100, int(code)%1000), text
		recorder := httptest.NewRecorder()
		router.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
		checkPage(t, recorder)
		var want struct{ Identifiers []string }
		err := json.Unmarshal(text[:min(len(text), 64<<10)], &want)
		got := readPage(t, recorder)
		if status == http.StatusOK && err == nil && len(want.Identifiers) > 0 {
			for i, identifier := range want.Identifiers {
				want.Identifiers[i] = shown(identifier)
			}
			if got.status != http.StatusOK || !slices.Equal(got.dice, want.Identifiers) {
				t.Errorf("status %d, dice %q, want %q", got.status, got.dice, want.Identifiers)
			}
		} else if !slices.Contains([]int{502, 503, 504}, got.status) || len(got.dice) > 0 {
			t.Errorf("status %d, dice %q after a reply %d %q", got.status, got.dice, status, text)
		}
	})
}
