package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/dice/shared/httpjson"
)

func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) }

func newTestRouter(t testing.TB, latency time.Duration) http.Handler {
	t.Helper()
	all, err := readDice("../dice.json")
	if err != nil {
		t.Fatal(err)
	}
	store, err := openStore(t.Context(), filepath.Join(t.TempDir(), "dice.db"), all)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.close() })
	return newRouter(handler{store, latency})
}

func send(ctx context.Context, router http.Handler, method, path, query string) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(ctx, method, path, nil)
	request.URL.RawQuery = query
	recorder := httptest.NewRecorder()
	router.ServeHTTP(recorder, request)
	return recorder
}

// TestReplies states each reply in full: a later implementation must give the same.
func TestReplies(t *testing.T) {
	tests := []struct {
		method, path, query string
		status              int
		body                string
	}{
		{http.MethodGet, "/dice", "", 200, `{"identifiers":["fair","risky"]}`},
		{http.MethodGet, "/dice", "other=1", 200, `{"identifiers":["fair","risky"]}`},
		{http.MethodGet, "/dice", "identifier=fair", 200, `{"faces":[1,2,3,4,5,6],"error_rate":0}`},
		{http.MethodGet, "/dice", "identifier=risky", 200, `{"faces":[2,3,4,5,6,7],"error_rate":0.1}`},
		{http.MethodGet, "/dice", "identifier=nope", 404, `{"error":"unknown die \"nope\": must be one of fair, risky"}`},
		{http.MethodGet, "/dice", "identifier=Fair", 404, `{"error":"unknown die \"Fair\": must be one of fair, risky"}`},
		{http.MethodGet, "/dice", "identifier=", 404, `{"error":"unknown die \"\": must be one of fair, risky"}`},
		{http.MethodGet, "/dice", "identifier", 404, `{"error":"unknown die \"\": must be one of fair, risky"}`},
		{http.MethodGet, "/dice", "identifier=%ff", 404, `{"error":"unknown die \"\\xff\": must be one of fair, risky"}`},
		{http.MethodGet, "/dice", "identifier=" + strings.Repeat("x", 99), 404, `{"error":"unknown die \"` + strings.Repeat("x", 40) + `\": must be one of fair, risky"}`},
		{http.MethodGet, "/dice", "identifier=fair&identifier=fair", 400, `{"error":"identifier is given 2 times: give it once"}`},
		{http.MethodGet, "/dice", "identifier=%zz", 400, `{"error":"malformed query string: invalid URL escape \"%zz\""}`},
		{http.MethodGet, "/", "", 404, `{"error":"no such path"}`},
		{http.MethodGet, "/dice/fair", "", 404, `{"error":"no such path"}`},
		{http.MethodPost, "/dice", "", 405, `{"error":"this path allows GET only"}`},
	}
	router := newTestRouter(t, 0)
	for _, test := range tests {
		t.Run(test.method+" "+test.path+"?"+test.query, func(t *testing.T) {
			got := send(t.Context(), router, test.method, test.path, test.query)
			if got.Code != test.status || got.Body.String() != test.body+"\n" {
				t.Errorf("status %d %s\nwant   %d %s", got.Code, got.Body, test.status, test.body)
			}
			if contentType := got.Header().Get("Content-Type"); contentType != "application/json" {
				t.Errorf("Content-Type %q", contentType)
			}
		})
	}
}

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		router := newTestRouter(t, time.Second)
		start := time.Now()
		if got := send(t.Context(), router, http.MethodGet, "/dice", ""); got.Code != http.StatusOK || time.Since(start) != time.Second {
			t.Errorf("status %d after %s, want 200 after 1s", got.Code, time.Since(start))
		}
		start = time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if got := send(ctx, router, http.MethodGet, "/dice", ""); got.Code != httpjson.StatusClientClosedRequest || time.Since(start) != time.Millisecond {
			t.Errorf("status %d after %s for a caller who left after 1ms", got.Code, time.Since(start))
		}
	})
}

func TestLogRecords(t *testing.T) {
	var out bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&out, nil)))
	defer slog.SetDefault(before)

	tests := []struct{ query, level, message string }{
		{"identifier=fair", "INFO", "die looked up"},
		{"identifier=nope", "WARN", "look-up refused"},
		{"identifier=%zz", "WARN", "look-up refused"},
	}
	for _, test := range tests {
		out.Reset()
		send(t.Context(), newTestRouter(t, 0), http.MethodGet, "/dice", test.query)
		var record struct{ Level, Msg string }
		if err := json.Unmarshal(out.Bytes(), &record); err != nil {
			t.Fatalf("not one record: %v\n%s", err, out.String())
		}
		if record.Level != test.level || record.Msg != test.message {
			t.Errorf("logged %+v, want %s %s", record, test.level, test.message)
		}
	}
}
