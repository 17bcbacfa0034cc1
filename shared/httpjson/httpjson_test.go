package httpjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"example.com/dice/shared/httpjson"
)

func newRouter() http.Handler {
	r := chi.NewRouter()
	r.Use(httpjson.Recoverer)
	r.NotFound(httpjson.NotFound)
	r.MethodNotAllowed(httpjson.MethodNotAllowed(r))
	r.Get("/thing", func(w http.ResponseWriter, _ *http.Request) {
		httpjson.Reply(w, http.StatusOK, map[string]int{"number": 1})
	})
	r.Get("/things/{id}", func(http.ResponseWriter, *http.Request) {})
	r.Post("/thing", func(http.ResponseWriter, *http.Request) {
		panic("it broke")
	})
	r.Get("/half", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("half of"))
		panic("it broke")
	})
	r.Get("/abort", func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	})
	r.Get("/unencodable", func(w http.ResponseWriter, _ *http.Request) {
		httpjson.Reply(w, http.StatusOK, func() {})
	})
	return r
}

func TestReplies(t *testing.T) {
	tests := []struct {
		method, path string
		status       int
		body, allow  string
	}{
		{http.MethodGet, "/thing", http.StatusOK, `{"number":1}`, ""},
		{http.MethodGet, "/nothing", http.StatusNotFound, `{"error":"no such path"}`, ""},
		{http.MethodDelete, "/thing", http.StatusMethodNotAllowed, `{"error":"this path allows GET, POST only"}`, "GET, POST"},
		{"INVENTED", "/thing", http.StatusMethodNotAllowed, `{"error":"this path allows GET, POST only"}`, "GET, POST"},
		{http.MethodDelete, "http://localhost/thing", http.StatusMethodNotAllowed, `{"error":"this path allows GET, POST only"}`, "GET, POST"},
		{"INVENTED", "/%74hing", http.StatusNotFound, `{"error":"no such path"}`, ""}, // as for GET
		{http.MethodDelete, "/things/a%2Fb", http.StatusMethodNotAllowed, `{"error":"this path allows GET only"}`, "GET"},
		{"INVENTED", "/nothing", http.StatusNotFound, `{"error":"no such path"}`, ""},
		{http.MethodPost, "/thing", http.StatusInternalServerError, `{"error":"internal error"}`, ""},
		{http.MethodGet, "/unencodable", http.StatusInternalServerError, `{"error":"internal error"}`, ""},
	}
	router := newRouter()
	for _, test := range tests {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			recorder := httptest.NewRecorder()
			router.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), test.method, test.path, nil))
			if recorder.Code != test.status {
				t.Errorf("status %d, want %d", recorder.Code, test.status)
			}
			if got := strings.TrimSpace(recorder.Body.String()); got != test.body {
				t.Errorf("body %s, want %s", got, test.body)
			}
			if got := recorder.Header().Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type %q", got)
			}
			if got := recorder.Header().Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("X-Content-Type-Options %q", got)
			}
			if got := recorder.Header().Get("Allow"); got != test.allow {
				t.Errorf("Allow %q, want %q", got, test.allow)
			}
		})
	}
}

func TestPanicIsLoggedOnceWithItsStack(t *testing.T) {
	var out bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&out, nil)))
	defer slog.SetDefault(before)

	newRouter().ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/thing", nil))

	var record struct {
		Level   string
		Type    string `json:"exception.type"`
		Message string `json:"exception.message"`
		Stack   string `json:"exception.stacktrace"`
	}
	if err := json.Unmarshal(out.Bytes(), &record); err != nil {
		t.Fatalf("not one JSON line: %v\n%s", err, out.String())
	}
	if record.Level != "ERROR" || record.Type != "string" || record.Message != "it broke" || !strings.Contains(record.Stack, "httpjson_test.go") {
		t.Errorf("logged %+v", record)
	}
}

// TestAbort wants the connection to be dropped if a handler says so, or panics when the response has begun.
func TestAbort(t *testing.T) {
	for path, want := range map[string]string{"/abort": "", "/half": "half of"} {
		recorder := httptest.NewRecorder()
		func() {
			defer func() {
				if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
					t.Errorf("%s: recovered %v, want http.ErrAbortHandler", path, err)
				}
			}()
			newRouter().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		}()
		if got := recorder.Body.String(); got != want {
			t.Errorf("%s: body %q, want %q", path, got, want)
		}
	}
}
