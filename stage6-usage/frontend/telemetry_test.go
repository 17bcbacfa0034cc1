package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// spansOf returns the spans that do makes, in the order of their ends.
func spansOf(t *testing.T, do func()) []sdktrace.ReadOnlySpan {
	t.Helper()
	before, beforeText := otel.GetTracerProvider(), otel.GetTextMapPropagator()
	defer func() { otel.SetTracerProvider(before); otel.SetTextMapPropagator(beforeText) }()
	recorder := tracetest.NewSpanRecorder()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)))
	otel.SetTextMapPropagator(propagation.TraceContext{})
	do()
	return recorder.Ended()
}

// TestOneTraceThroughTheService follows a trace that a caller began into this service and out of it again.
func TestOneTraceThroughTheService(t *testing.T) {
	const id, parent = "0123456789abcdef0123456789abcdef", "0123456789abcdef"
	tests := []struct {
		status int
		code   codes.Code // of the client span and of the server span
	}{
		{http.StatusOK, codes.Unset},
		{http.StatusInternalServerError, codes.Error},
	}
	for _, test := range tests {
		t.Run(http.StatusText(test.status), func(t *testing.T) {
			var passedOn string
			var page shownPage
			spans := spansOf(t, func() {
				router := newTestRouter(t, func(w http.ResponseWriter, r *http.Request) {
					passedOn = r.Header.Get("traceparent")
					w.WriteHeader(test.status)
				})
				page = readPage(t, post(t.Context(), router, "die=fair", "traceparent", "00-"+id+"-"+parent+"-01"))
			})
			if len(spans) != 2 {
				t.Fatalf("spans %v, want 2", spans)
			}
			client, server := spans[0], spans[1]
			if server.Name() != "POST /" || server.SpanKind() != trace.SpanKindServer || server.Parent().SpanID().String() != parent {
				t.Errorf("server span %s, kind %s, parent %s", server.Name(), server.SpanKind(), server.Parent().SpanID())
			}
			if client.Name() != "GET /roll" || client.SpanKind() != trace.SpanKindClient || client.Parent().SpanID() != server.SpanContext().SpanID() {
				t.Errorf("client span %s, kind %s, parent %s", client.Name(), client.SpanKind(), client.Parent().SpanID())
			}
			if want := "00-" + id + "-" + client.SpanContext().SpanID().String() + "-01"; passedOn != want {
				t.Errorf("the roll service got traceparent %q, want %q", passedOn, want)
			}
			if client.Status().Code != test.code || server.Status().Code != test.code {
				t.Errorf("status %v and %v, want %v", client.Status(), server.Status(), test.code)
			}
			if !strings.HasPrefix(page.traceURL.String(), "http://grafana/explore?") || !strings.Contains(page.traceURL.Query().Get("panes"), id) {
				t.Errorf("the page links to %s", page.traceURL)
			}
		})
	}
}

// TestPanicHasAReply asks a page that has nothing to show.
func TestPanicHasAReply(t *testing.T) {
	recorder := httptest.NewRecorder()
	spans := spansOf(t, func() {
		newRouter(handler{}).ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	})
	if recorder.Code != http.StatusInternalServerError || recorder.Body.String() != `{"error":"internal error"}`+"\n" {
		t.Errorf("status %d %s", recorder.Code, recorder.Body)
	}
	if len(spans) != 1 || spans[0].Status().Code != codes.Error {
		t.Errorf("spans %v, want one with an error", spans)
	}
}

// TestOneLogRecordForEachRun wants one record per request in addition to those of usage.
func TestOneLogRecordForEachRun(t *testing.T) {
	tests := []struct {
		roll           http.HandlerFunc
		form           string
		level, message string
	}{
		{replyWith(http.StatusOK, "{}"), "die=fair", "INFO", "run"},
		{replyWith(http.StatusInternalServerError, "{}"), "die=fair", "INFO", "run"},
		{func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "die=fair", "ERROR", "no response from the roll service"},
		{replyWith(http.StatusOK, "{}"), "die=%zz", "WARN", "form refused"},
	}
	for _, test := range tests {
		operational, _ := recordsOf(t, func() { post(t.Context(), newTestRouter(t, test.roll), test.form) })
		if len(operational) != 1 || operational[0]["level"] != test.level || operational[0]["msg"] != test.message {
			t.Errorf("logged %v, want %s %s", operational, test.level, test.message)
		}
	}
}
