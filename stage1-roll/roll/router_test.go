package main

import (
	"net/http"
	"testing"

	"github.com/go-chi/chi/v5"
	"go.opentelemetry.io/otel/codes"
)

// TestPanicIsMeasured wants the reply to a panic in the span and in the duration, which depends on the order of the
// middleware.
func TestPanicIsMeasured(t *testing.T) {
	router := newTestRouter(0)
	router.(chi.Router).Get("/broken", func(http.ResponseWriter, *http.Request) { panic("it broke") })
	e := observe(t, func() {
		status, body := send(t.Context(), t, router, http.MethodGet, "/broken", "")
		if status != http.StatusInternalServerError || body.Error != "internal error" {
			t.Errorf("status %d, body %+v", status, body)
		}
	})
	if e.span(t, "GET /broken").Status().Code != codes.Error {
		t.Errorf("spans %v, want GET /broken with an error", e.spans)
	}
	const duration = "http.server.request.duration s{error.type=500,http.request.method=GET,http.response.status_code=500,http.route=/broken,network.protocol.version=1.1,url.scheme=http}"
	if e.counts[duration] != 1 {
		t.Errorf("counted %v, want 1 of %s", e.counts, duration)
	}
}

// TestHead wants HEAD to be answered like GET, and to be a request of its own in span and duration.
func TestHead(t *testing.T) {
	e := observe(t, func() {
		if status, _ := send(t.Context(), t, newTestRouter(0), http.MethodHead, "/roll", "die=fair"); status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	})
	e.span(t, "HEAD /roll")
	const duration = "http.server.request.duration s{http.request.method=HEAD,http.response.status_code=200,http.route=/roll,network.protocol.version=1.1,url.scheme=http}"
	if e.counts[duration] != 1 {
		t.Errorf("counted %v, want 1 of %s", e.counts, duration)
	}
}
