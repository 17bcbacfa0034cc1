package upstream_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"example.com/dice/shared/upstream"
)

// TestExplain calls services that fail in each way there is.
func TestExplain(t *testing.T) {
	stop := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-stop:
		}
	})
	mux.HandleFunc("/broken", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = w.Write([]byte("12345"))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	defer close(stop)
	away := httptest.NewServer(mux)
	away.Close()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()

	tests := []struct {
		name     string
		ctx      context.Context
		url      string
		status   int
		sentence string
	}{
		{"down", t.Context(), away.URL, 503, "the die service cannot be reached; try again later"},
		{"unknown host", t.Context(), "http://nowhere.invalid", 503, "the die service cannot be reached; try again later"},
		{"slow", t.Context(), server.URL + "/slow", 504, "the die service took too long; try again later"},
		{"no reply", t.Context(), server.URL + "/broken", 502, "the die service sent an invalid response"},
		{"half a reply", t.Context(), server.URL + "/cut", 502, "the die service sent an invalid response"},
		{"caller gone", canceled, server.URL + "/slow", 499, "canceled by the caller"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			timeout := 10 * time.Second
			if test.name == "slow" {
				timeout = 50 * time.Millisecond
			}
			_, _, err := upstream.Get(test.ctx, &http.Client{Timeout: timeout}, test.url)
			err = fmt.Errorf("looking up: %w", err)
			status, sentence := upstream.Explain("die", err)
			if status != test.status || sentence != test.sentence {
				t.Errorf("%v: %d %q, want %d %q", err, status, sentence, test.status, test.sentence)
			}
			if got, want := upstream.Unreachable(err), test.status == 503; got != want {
				t.Errorf("%v: unreachable %t, want %t", err, got, want)
			}
		})
	}
}

func TestExplainOtherErrors(t *testing.T) {
	tests := []struct {
		err    error
		status int
	}{
		{context.DeadlineExceeded, 504},
		{errors.New("not JSON"), 502},
		{&net.OpError{Op: "dial", Err: &net.DNSError{IsTimeout: true}}, 503},
		{upstream.StatusError{Status: 500}, 502},
		{upstream.StatusError{Status: 302}, 502},
		{upstream.StatusError{Status: 503}, 503},
		{upstream.StatusError{Status: 504}, 504},
	}
	for _, test := range tests {
		if status, _ := upstream.Explain("die", fmt.Errorf("looking up: %w", test.err)); status != test.status {
			t.Errorf("%v: status %d, want %d", test.err, status, test.status)
		}
	}
}
