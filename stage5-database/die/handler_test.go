package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

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
		{http.MethodGet, "/dice", "identifier=fair%00", 404, `{"error":"unknown die \"fair\\x00\": must be one of fair, risky"}`},
		{http.MethodGet, "/dice", "identifier=%0d%0aSet-Cookie:x", 404, `{"error":"unknown die \"\\r\\nSet-Cookie:x\": must be one of fair, risky"}`},
		{http.MethodGet, "/dice", "identifier=%27+OR+1=1+--", 404, `{"error":"unknown die \"' OR 1=1 --\": must be one of fair, risky"}`},
		{http.MethodGet, "/dice", strings.Repeat("a=1&", 9_999) + "identifier=fair", 200, `{"faces":[1,2,3,4,5,6],"error_rate":0}`},
		{http.MethodGet, "/dice", strings.Repeat("identifier=fair&", 9_999), 400, `{"error":"identifier is given 9999 times: give it once"}`},
		{http.MethodGet, "/dice", strings.Repeat("a=1&", 20_000), 400, `{"error":"malformed query string: number of URL query parameters exceeded limit"}`},
		{http.MethodGet, "/", "", 404, `{"error":"no such path"}`},
		{http.MethodGet, "/dice/fair", "", 404, `{"error":"no such path"}`},
		{"INVENTED", "/nowhere", "", 404, `{"error":"no such path"}`},
		{"INVENTED", "/dice", "", 405, `{"error":"this path allows GET only"}`},
		{http.MethodPost, "/dice", "", 405, `{"error":"this path allows GET only"}`},
	}
	router := newTestRouter(t, 0)
	for _, test := range tests {
		t.Run(test.method+" "+test.path+"?"+test.query[:min(len(test.query), 60)], func(t *testing.T) {
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

func TestLargeBodiesAreNotRead(t *testing.T) {
	for method, status := range map[string]int{http.MethodGet: http.StatusOK, http.MethodPost: http.StatusMethodNotAllowed} {
		body := bytes.NewReader(make([]byte, 10<<20))
		recorder := httptest.NewRecorder()
		newTestRouter(t, 0).ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, "/dice", body))
		if recorder.Code != status || body.Len() != 10<<20 {
			t.Errorf("%s: status %d, %d bytes are left", method, recorder.Code, body.Len())
		}
	}
}

// FuzzLookUp wants for each query string the list, one of its dice, or an error, and never a failure of ours.
func FuzzLookUp(f *testing.F) {
	for _, seed := range []string{
		"", "identifier", "identifier=fair", "identifier=risky&x=1", "identifier=fair&identifier=risky", "identifier=%zz", "identifier=a;b",
		"identifier=%00", "identifier=\xff", "identifier=%27+OR+1=1--", "identifier=fa%69r", "Identifier=fair", "identifier=%3F", "&&=",
	} {
		f.Add(seed)
	}
	router := newTestRouter(f, 0)
	f.Fuzz(func(t *testing.T, query string) {
		recorder := send(t.Context(), router, http.MethodGet, "/dice", query)
		var got struct {
			Identifiers []string
			Faces       []int
			Error       string
		}
		if err := json.Unmarshal(recorder.Body.Bytes(), &got); err != nil || !utf8.Valid(recorder.Body.Bytes()) {
			t.Errorf("%v: %q", err, recorder.Body)
		}
		values, err := url.ParseQuery(query)
		asked := values["identifier"]
		known := len(asked) == 1 && slices.Contains([]string{"fair", "risky"}, asked[0])
		switch status := recorder.Code; {
		case status == http.StatusOK && err == nil && len(asked) == 0 && slices.Equal(got.Identifiers, []string{"fair", "risky"}):
		case status == http.StatusOK && err == nil && known && len(got.Faces) == 6:
		case status == http.StatusNotFound && err == nil && len(asked) == 1 && !known && got.Error != "":
		case status == http.StatusBadRequest && (err != nil || len(asked) > 1) && got.Error != "":
		default:
			t.Errorf("status %d %s", status, recorder.Body)
		}
	})
}

func TestPanicHasAReply(t *testing.T) {
	router := newTestRouter(t, 0)
	router.(chi.Router).Get("/broken", func(http.ResponseWriter, *http.Request) { panic("it broke") })
	if got := send(t.Context(), router, http.MethodGet, "/broken", ""); got.Code != http.StatusInternalServerError || got.Body.String() != `{"error":"internal error"}`+"\n" {
		t.Errorf("status %d %s", got.Code, got.Body)
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

	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		ctx                   context.Context
		latency               time.Duration
		query, level, message string
	}{
		{t.Context(), 0, "identifier=fair", "INFO", "die looked up"},
		{t.Context(), 0, "identifier=nope", "WARN", "lookup refused"},
		{t.Context(), 0, "identifier=%zz", "WARN", "lookup refused"},
		{canceled, time.Hour, "identifier=fair", "INFO", "lookup canceled by the caller"},
	}
	for _, test := range tests {
		out.Reset()
		send(test.ctx, newTestRouter(t, test.latency), http.MethodGet, "/dice", test.query)
		var record struct{ Level, Msg string }
		if err := json.Unmarshal(out.Bytes(), &record); err != nil {
			t.Fatalf("not one record: %v\n%s", err, out.String())
		}
		if record.Level != test.level || record.Msg != test.message {
			t.Errorf("logged %+v, want %s %s", record, test.level, test.message)
		}
	}
}
