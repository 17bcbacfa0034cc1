package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/dice/shared/httpjson"
)

func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) }

// newTestRouter is the page in front of a roll service that answers with roll.
func newTestRouter(t *testing.T, roll http.HandlerFunc) http.Handler {
	t.Helper()
	return signedIn(t, newTestHandler(knownDice(), rollsFor(t, roll)))
}

// rollsFor is a roll service that answers with roll.
func rollsFor(t *testing.T, roll http.HandlerFunc) rollService {
	t.Helper()
	server := httptest.NewServer(roll)
	t.Cleanup(server.Close)
	return newRollService(server.URL, 10*time.Second)
}

func replyWith(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func post(ctx context.Context, router http.Handler, form string, headers ...string) *httptest.ResponseRecorder {
	return postTo(ctx, router, "/", form, headers...)
}

func postTo(ctx context.Context, router http.Handler, path, form string, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, path, strings.NewReader(form))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	router.ServeHTTP(recorder, request)
	return recorder
}

func get(t *testing.T, router http.Handler) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	router.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	return recorder
}

func TestPageBeforeTheFirstRun(t *testing.T) {
	recorder := get(t, newTestRouter(t, replyWith(http.StatusOK, "")))
	for name, want := range map[string]string{
		"Content-Type":            "text/html; charset=utf-8",
		"Content-Security-Policy": policy,
		"X-Content-Type-Options":  "nosniff",
		"Cache-Control":           "no-store",
	} {
		if got := recorder.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	got := readPage(t, recorder)
	if got.status != http.StatusOK || !slices.Equal(got.dice, []string{"fair", "risky"}) || got.times != "1" {
		t.Errorf("status %d, dice %v, times %q", got.status, got.dice, got.times)
	}
	if got.output != "" || got.traceURL != nil {
		t.Errorf("output %q, trace %v before the first run", got.output, got.traceURL)
	}
}

// TestRunShowsTheReply wants status and body as literal text, and the same status for the page if it is an error.
func TestRunShowsTheReply(t *testing.T) {
	tests := []struct {
		status int
		body   string
		want   int
		output string
	}{
		{200, `{"roll":5}`, 200, "200 OK\n" + `{"roll":5}`},
		{500, `{"error":"the die failed; roll again"}`, 500, "500 Internal Server Error\n" + `{"error":"the die failed; roll again"}`},
		{400, `{"error":"unknown die"}`, 400, "400 Bad Request\n" + `{"error":"unknown die"}`},
		{200, `<script>alert(1)</script><b>&amp;`, 200, "200 OK\n<script>alert(1)</script><b>&amp;"},
		{202, "", 200, "202 Accepted\n"},
		{599, "x", 599, "599 \nx"},
		{200, strings.Repeat("x", 64<<10+1), 200, "200 OK\n" + strings.Repeat("x", 64<<10)},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%d %.20s", test.status, test.body), func(t *testing.T) {
			var query url.Values
			router := newTestRouter(t, func(w http.ResponseWriter, r *http.Request) {
				query = r.URL.Query()
				replyWith(test.status, test.body)(w, r)
			})
			got := readPage(t, post(t.Context(), router, "die=risky"))
			if got.status != test.want || got.output != test.output {
				t.Errorf("status %d, output %q\nwant   %d, %q", got.status, got.output, test.want, test.output)
			}
			if got.chosen != "risky" || query.Encode() != "die=risky" {
				t.Errorf("chosen %q, the roll service was asked for %q", got.chosen, query.Encode())
			}
			if got.elements > 0 {
				t.Errorf("the reply became %d elements", got.elements)
			}
		})
	}
}

func TestNumberOfDiceChoosesThePath(t *testing.T) {
	tests := []struct{ form, want, times string }{
		{"die=fair", "/roll?die=fair", "1"},
		{"die=fair&times=", "/roll?die=fair", "1"},
		{"die=fair&times=1", "/roll?die=fair", "1"},
		{"die=fair&times=10", "/roll-async?die=fair&times=10", "10"},
		{"die=fair&times=0", "/roll-async?die=fair&times=0", "0"},
		{"die=fair&times=%26x%22%3E", "/roll-async?die=fair&times=%26x%22%3E", `&x">`},
	}
	for _, test := range tests {
		var asked string
		router := newTestRouter(t, func(_ http.ResponseWriter, r *http.Request) { asked = r.URL.String() })
		got := readPage(t, post(t.Context(), router, test.form))
		if asked != test.want || got.times != test.times {
			t.Errorf("%s: asked for %s, and shows %q, want %s and %q", test.form, asked, got.times, test.want, test.times)
		}
	}
}

func TestRollServiceFails(t *testing.T) {
	away := httptest.NewServer(nil)
	away.Close()
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer slow.Close()
	broken := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer broken.Close()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()

	tests := []struct {
		name   string
		ctx    context.Context
		url    string
		status int
		output string
	}{
		{"down", t.Context(), away.URL, 503, "503 Service Unavailable\nthe roll service cannot be reached; try again later"},
		{"slow", t.Context(), slow.URL, 504, "504 Gateway Timeout\nthe roll service took too long; try again later"},
		{"broken", t.Context(), broken.URL, 502, "502 Bad Gateway\nthe roll service sent an invalid response"},
		{"user gone", canceled, slow.URL, httpjson.StatusClientClosedRequest, "499 \ncanceled by the caller"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			timeout := 10 * time.Second
			if test.name == "slow" {
				timeout = 50 * time.Millisecond
			}
			router := signedIn(t, newTestHandler(knownDice(), newRollService(test.url, timeout)))
			got := readPage(t, post(test.ctx, router, "die=fair"))
			if got.status != test.status || got.output != test.output || got.chosen != "fair" {
				t.Errorf("status %d, output %q, chosen %q\nwant   %d, %q, fair", got.status, got.output, got.chosen, test.status, test.output)
			}
		})
	}
}

func TestUserWhoGoesAwayEndsTheCall(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	router := newTestRouter(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel() // once the roll service has the request
		<-r.Context().Done()
		close(ended)
	})
	if got := post(ctx, router, "die=fair"); got.Code != httpjson.StatusClientClosedRequest {
		t.Errorf("status %d, want %d", got.Code, httpjson.StatusClientClosedRequest)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the roll service goes on")
	}
}

func TestWrongForms(t *testing.T) {
	tests := []struct {
		form, want string
	}{
		{"die=%zz", "400 Bad Request\nthe form cannot be read: invalid URL escape \"%zz\""},
		{"die=" + strings.Repeat("x", largestForm), "413 Request Entity Too Large\nthe form is too large: it must have at most 1024 bytes"},
	}
	for _, test := range tests {
		router := newTestRouter(t, func(http.ResponseWriter, *http.Request) { t.Error("the roll service was asked") })
		got := readPage(t, post(t.Context(), router, test.form))
		if !strings.Contains(test.want, http.StatusText(got.status)+"\n") || got.output != test.want {
			t.Errorf("%.20s: status %d, output %q, want %q", test.form, got.status, got.output, test.want)
		}
	}
}

func TestPostsFromOtherSitesAreRefused(t *testing.T) {
	tests := []struct {
		name, value string
		status      int
	}{
		{"Sec-Fetch-Site", "cross-site", http.StatusForbidden},
		{"Sec-Fetch-Site", "same-site", http.StatusForbidden},
		{"Origin", "https://other.example", http.StatusForbidden},
		{"Sec-Fetch-Site", "same-origin", http.StatusOK},
		{"Origin", "http://example.com", http.StatusOK}, // httptest's host
	}
	for _, test := range tests {
		router := newTestRouter(t, replyWith(http.StatusOK, "{}"))
		if got := post(t.Context(), router, "die=fair", test.name, test.value); got.Code != test.status {
			t.Errorf("%s: %s: status %d, want %d", test.name, test.value, got.Code, test.status)
		}
	}
}

func TestWrongPathsAndMethods(t *testing.T) {
	tests := []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/nowhere", http.StatusNotFound},
		{http.MethodPost, "/roll", http.StatusNotFound},
		{http.MethodPut, "/", http.StatusMethodNotAllowed},
		{http.MethodGet, "/sign-in", http.StatusMethodNotAllowed},
		{http.MethodGet, "/sign-out", http.StatusMethodNotAllowed},
		{http.MethodDelete, "/", http.StatusMethodNotAllowed},
	}
	for _, test := range tests {
		recorder := httptest.NewRecorder()
		router := newTestRouter(t, replyWith(http.StatusOK, "{}"))
		router.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), test.method, test.path, nil))
		if recorder.Code != test.status {
			t.Errorf("%s %s: status %d, want %d", test.method, test.path, recorder.Code, test.status)
		}
	}
}
