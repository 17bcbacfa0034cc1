package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) }

// newTestRouter is the page in front of a roll service that answers with roll.
func newTestRouter(t *testing.T, roll http.HandlerFunc) http.Handler {
	t.Helper()
	server := httptest.NewServer(roll)
	t.Cleanup(server.Close)
	return newRouter(newHandler(newRollService(server.URL, 10*time.Second), "http://grafana"))
}

func replyWith(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func post(ctx context.Context, router http.Handler, form string, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(form))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	router.ServeHTTP(recorder, request)
	return recorder
}

func TestFirstPage(t *testing.T) {
	router := newTestRouter(t, replyWith(http.StatusOK, "{}"))
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		recorder := httptest.NewRecorder()
		router.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, "/", nil))
		if recorder.Code != http.StatusOK {
			t.Errorf("%s: status %d", method, recorder.Code)
		}
		for name, want := range map[string]string{
			"Content-Type":            "text/html; charset=utf-8",
			"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
			"X-Content-Type-Options":  "nosniff",
			"Cache-Control":           "no-store",
		} {
			if got := recorder.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", method, name, got, want)
			}
		}
	}
}

// TestRunShowsTheReply wants status and body as literal text, and the same status for the page if it is an error.
func TestRunShowsTheReply(t *testing.T) {
	tests := []struct {
		status       int
		body, output string
	}{
		{200, `{"roll":5}`, "200 OK\n" + `{"roll":5}`},
		{500, `{"error":"the die failed; roll again"}`, "500 Internal Server Error\n" + `{"error":"the die failed; roll again"}`},
		{200, `<script>alert(1)</script><b>&amp;`, "200 OK\n<script>alert(1)</script><b>&amp;"},
	}
	for _, test := range tests {
		var query string
		router := newTestRouter(t, func(w http.ResponseWriter, r *http.Request) {
			query = r.URL.RawQuery
			replyWith(test.status, test.body)(w, r)
		})
		got := readPage(t, post(t.Context(), router, "die=risky"))
		if got.status != test.status || got.output != test.output || got.elements > 0 {
			t.Errorf("status %d, output %q, %d elements, want %d, %q", got.status, got.output, got.elements, test.status, test.output)
		}
		if got.chosen != "risky" || query != "die=risky" {
			t.Errorf("chosen %q, the roll service was asked for %q", got.chosen, query)
		}
	}
}

// TestRunPassesItsTraceOn wants the header of the call to have the trace ID that the page shows.
func TestRunPassesItsTraceOn(t *testing.T) {
	otel.SetTracerProvider(sdktrace.NewTracerProvider())
	otel.SetTextMapPropagator(propagation.TraceContext{})
	var header string
	router := newTestRouter(t, func(w http.ResponseWriter, r *http.Request) {
		header = r.Header.Get("Traceparent")
		replyWith(http.StatusOK, `{"roll":5}`)(w, r)
	})
	page := post(t.Context(), router, "die=fair").Body.String()
	if _, after, _ := strings.Cut(header, "-"); len(after) < 32 || !strings.Contains(page, after[:32]) {
		t.Errorf("the header is %q, and the page:\n%s", header, page)
	}
}

func TestSlowRollService(t *testing.T) {
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer slow.Close()
	router := newRouter(newHandler(newRollService(slow.URL, 50*time.Millisecond), "http://grafana"))
	got := readPage(t, post(t.Context(), router, "die=fair"))
	if want := "504 Gateway Timeout\nthe roll service took too long; try again later"; got.status != http.StatusGatewayTimeout || got.output != want {
		t.Errorf("status %d, output %q, want %q", got.status, got.output, want)
	}
}

// TestPanicHasAReply asks a page that has nothing to show.
func TestPanicHasAReply(t *testing.T) {
	recorder := httptest.NewRecorder()
	newRouter(handler{}).ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	if recorder.Code != http.StatusInternalServerError || recorder.Body.String() != `{"error":"internal error"}`+"\n" {
		t.Errorf("status %d %s", recorder.Code, recorder.Body)
	}
}
