package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

func knownDice() dieService {
	return dieService{client: &http.Client{Transport: inProcess(replyWith(http.StatusOK, `{"identifiers":["fair","risky"]}`))}}
}

// FuzzDiceReply wants the dice of a response to be on the page, or the page to say that the response is invalid.
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
	dieService := dieService{client: &http.Client{Transport: inProcess(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})}}
	router := newRouter(newHandler(dieService, rollService{}, "http://grafana"))
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
