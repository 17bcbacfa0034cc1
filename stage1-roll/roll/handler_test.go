package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/dice/shared/chance"
	"example.com/dice/shared/httpjson"
)

func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) }

// newTestRouter is the service with repeatable chance, without waits unless maxWait is given.
func newTestRouter(maxWait time.Duration) http.Handler {
	return newRouter(handler{roller{chance: chance.New(1), maxWait: maxWait}})
}

type reply struct {
	Roll  int    `json:"roll"`
	Error string `json:"error"`
}

func send(ctx context.Context, t testing.TB, router http.Handler, method, path, query string) (int, reply) {
	t.Helper()
	request := httptest.NewRequestWithContext(ctx, method, path, nil)
	request.URL.RawQuery = query
	recorder := httptest.NewRecorder()
	router.ServeHTTP(recorder, request)
	var body reply
	if err := json.Unmarshal(recorder.Body.Bytes(), &body); err != nil {
		t.Fatalf("%s %s?%s: not JSON: %q", method, path, query, recorder.Body)
	}
	return recorder.Code, body
}

func TestFairRollsAreItsFaces(t *testing.T) {
	router := newTestRouter(0)
	for range 1000 {
		status, body := send(t.Context(), t, router, http.MethodGet, "/roll", "die=fair")
		if status != http.StatusOK || body.Roll < 1 || body.Roll > 6 {
			t.Fatalf("status %d, body %+v", status, body)
		}
	}
}

func TestRiskyRollsAreItsFacesOrFail(t *testing.T) {
	router := newTestRouter(0)
	failed := 0
	for range 1000 {
		status, body := send(t.Context(), t, router, http.MethodGet, "/roll", "die=risky")
		switch {
		case status == http.StatusOK && body.Roll >= 2 && body.Roll <= 7:
		case status == http.StatusInternalServerError && body.Error == "the die failed; roll again":
			failed++
		default:
			t.Fatalf("status %d, body %+v", status, body)
		}
	}
	if failed == 0 {
		t.Error("no roll failed")
	}
}

func TestWrongRequests(t *testing.T) {
	const allowed = "must be one of fair, risky"
	tests := []struct {
		method, path, query string
		status              int
		message             string
	}{
		{http.MethodGet, "/roll", "", http.StatusBadRequest, "die is missing: add one, such as ?die=fair"},
		{http.MethodGet, "/roll", "dice=fair", http.StatusBadRequest, "die is missing: add one, such as ?die=fair"},
		{http.MethodGet, "/roll", "die", http.StatusBadRequest, `unknown die "": ` + allowed},
		{http.MethodGet, "/roll", "die=", http.StatusBadRequest, `unknown die "": ` + allowed},
		{http.MethodGet, "/roll", "die=fair&die=fair", http.StatusBadRequest, "die is given 2 times: give it once"},
		{http.MethodGet, "/roll", "die=Fair", http.StatusBadRequest, `unknown die "Fair": ` + allowed},
		{http.MethodGet, "/roll", "die=fair%20", http.StatusBadRequest, `unknown die "fair ": ` + allowed},
		{http.MethodGet, "/roll", "die=%ff", http.StatusBadRequest, `unknown die "\xff": ` + allowed},
		{http.MethodGet, "/roll", "die=" + strings.Repeat("x", 99), http.StatusBadRequest, `unknown die "` + strings.Repeat("x", 40) + `": ` + allowed},
		{http.MethodGet, "/roll", "die=fair&x=%zz", http.StatusBadRequest, `malformed query string: invalid URL escape "%zz"`},
		{http.MethodGet, "/roll", "die=fair;x=1", http.StatusBadRequest, "malformed query string: invalid semicolon separator in query"},
		{http.MethodGet, "/", "die=fair", http.StatusNotFound, "no such path"},
		{http.MethodGet, "/roll/", "die=fair", http.StatusNotFound, "no such path"},
		{http.MethodPost, "/roll", "die=fair", http.StatusMethodNotAllowed, "this path allows GET, HEAD only"},
	}
	router := newTestRouter(0)
	for _, test := range tests {
		t.Run(test.method+" "+test.path+"?"+test.query, func(t *testing.T) {
			status, body := send(t.Context(), t, router, test.method, test.path, test.query)
			if status != test.status || body.Error != test.message {
				t.Errorf("status %d %q\nwant   %d %q", status, body.Error, test.status, test.message)
			}
		})
	}
}

// TestHostileRequests sends what no client sends. Each gets a reply of ours, and no body is read.
func TestHostileRequests(t *testing.T) {
	const allowed = "must be one of fair, risky"
	parameters := func(n int) string { return strings.Repeat("a=1&", n) }
	tests := []struct {
		name, method, query string
		status              int
		message             string
	}{
		{"10 MB in a GET", http.MethodGet, "die=fair", http.StatusOK, ""},
		{"10 MB in a HEAD", http.MethodHead, "die=fair", http.StatusOK, ""},
		{"10 MB in a POST", http.MethodPost, "die=fair", http.StatusMethodNotAllowed, "this path allows GET, HEAD only"},
		{"unknown method", "INVENTED", "die=fair", http.StatusMethodNotAllowed, "this path allows GET, HEAD only"},
		{"thousands of parameters", http.MethodGet, parameters(9_999) + "die=fair", http.StatusOK, ""},
		{"thousands of dice", http.MethodGet, strings.Repeat("die=fair&", 9_999), http.StatusBadRequest, "die is given 9999 times: give it once"},
		{"too many parameters", http.MethodGet, parameters(20_000) + "die=fair", http.StatusBadRequest, "malformed query string: number of URL query parameters exceeded limit"},
		{"NUL", http.MethodGet, "die=fair%00", http.StatusBadRequest, `unknown die "fair\x00": ` + allowed},
		{"line breaks", http.MethodGet, "die=%0d%0aSet-Cookie:x", http.StatusBadRequest, `unknown die "\r\nSet-Cookie:x": ` + allowed},
		{"not UTF-8", http.MethodGet, "die=\xc3(", http.StatusBadRequest, `unknown die "\xc3(": ` + allowed},
		{"text from right to left", http.MethodGet, "die=\u202efair", http.StatusBadRequest, `unknown die "\u202efair": ` + allowed},
		{"1 MB", http.MethodGet, "die=" + strings.Repeat("x", 1<<20), http.StatusBadRequest, `unknown die "` + strings.Repeat("x", 40) + `": ` + allowed},
	}
	router := newTestRouter(0)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := bytes.NewReader(make([]byte, 10<<20))
			request := httptest.NewRequestWithContext(t.Context(), test.method, "/roll", body)
			request.URL.RawQuery = test.query
			request.Header = http.Header{"User-Agent": {"\xff"}, "Traceparent": {"\xff"}, "Baggage": {"\xff=\xff"}}
			recorder := httptest.NewRecorder()
			router.ServeHTTP(recorder, request)
			var got reply
			if err := json.Unmarshal(recorder.Body.Bytes(), &got); err != nil || recorder.Code != test.status || got.Error != test.message {
				t.Errorf("status %d %q\nwant   %d %q", recorder.Code, got.Error, test.status, test.message)
			}
			if len(recorder.Header()["Set-Cookie"]) > 0 || body.Len() != 10<<20 {
				t.Errorf("%d bytes of the body are left, headers %v", body.Len(), recorder.Header())
			}
		})
	}
}

func TestCallerWhoGoesAwayEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		start := time.Now()
		status, _ := send(ctx, t, newTestRouter(time.Hour), http.MethodGet, "/roll", "die=fair")
		if took := time.Since(start); took != time.Millisecond {
			t.Errorf("the reply took %s, want 1ms", took)
		}
		if status != httpjson.StatusClientClosedRequest {
			t.Errorf("status %d, want %d", status, httpjson.StatusClientClosedRequest)
		}
	})
}

func TestWaitIsRandomAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const maxWait = time.Second
		router := newTestRouter(maxWait)
		var waits []time.Duration
		for range 1000 {
			start := time.Now()
			send(t.Context(), t, router, http.MethodGet, "/roll", "die=fair")
			waits = append(waits, time.Since(start))
		}
		if shortest, longest := slices.Min(waits), slices.Max(waits); shortest > maxWait/100 || longest < maxWait*99/100 || longest > maxWait {
			t.Errorf("waits from %s to %s, want them from nearly 0 to nearly %s", shortest, longest, maxWait)
		}
	})
}

// FuzzQuery holds the service to its word: a query string gets a roll, a 400, or the failure of a risky die.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "die=fair", "die=risky", "die=fair&die=risky", "die=%zz", "die=fair;", "die=\xff", "die=fair&x=1"} {
		f.Add(seed)
	}
	router := newTestRouter(0)
	f.Fuzz(func(t *testing.T, query string) {
		status, body := send(t.Context(), t, router, http.MethodGet, "/roll", query)
		values, err := url.ParseQuery(query)
		known := err == nil && len(values["die"]) == 1 && slices.Contains([]string{"fair", "risky"}, values["die"][0])
		switch {
		case status == http.StatusOK && known && body.Error == "":
		case status == http.StatusInternalServerError && known && values["die"][0] == "risky" && body.Error == errDieFailed.Error():
		case status == http.StatusBadRequest && !known && body.Error != "":
		default:
			t.Errorf("%q: status %d, body %+v", query, status, body)
		}
	})
}
