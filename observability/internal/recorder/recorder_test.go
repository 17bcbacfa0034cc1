package recorder

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestRecorder requires that the client and the server see each other as without a proxy, and that all is recorded.
func TestRecorder(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		for _, name := range []string{"X-Forwarded-For", "Forwarded", "Via"} {
			if r.Header.Get(name) != "" {
				t.Errorf("the server sees the header %s", name)
			}
		}
		w.Header().Set("Location", r.Host+" "+r.UserAgent())
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("received " + string(sent)))
	}))
	defer server.Close()
	var r Recorder
	defer r.Close()
	address, err := r.Listen(t.Context(), "a", "b", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	send := func(path string) *http.Response {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+path, strings.NewReader("text"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("User-Agent", "tester")
		request.Header.Set("traceparent", "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || path == "/path?a=b" && string(body) != "received text" {
			t.Errorf("body %q, %v", body, err)
		}
		return response
	}
	if response := send("/path?a=b"); response.StatusCode != http.StatusTeapot || response.Header.Get("Location") != address+" tester" { //nolint:bodyclose // send closes it
		t.Errorf("%d, %v", response.StatusCode, response.Header)
	}
	send("/abort") //nolint:bodyclose // send closes it

	all := r.Exchanges()
	if len(all) != 2 {
		t.Fatalf("%d exchanges, want 2", len(all))
	}
	got := all[0]
	if took := got.End.Sub(got.Start); took <= 0 {
		t.Errorf("it took %s", took)
	}
	got.Start, got.End = all[1].Start, all[1].End
	want := Exchange{
		Client: "a", Server: "b", Method: "POST", Path: "/path", Query: "a=b", Sent: "text", Received: "received text", Status: http.StatusTeapot,
		TraceID: "0123456789abcdef0123456789abcdef", SpanID: "0123456789abcdef", Start: got.Start, End: got.End,
	}
	if got != want {
		t.Errorf("recorded %+v\nwant %+v", got, want)
	}
	if all[1].Status != 0 || all[1].Err == "" {
		t.Errorf("recorded %+v, want no response", all[1])
	}
}

// TestClientGivesUp requires that a response which its client did not wait for is recorded as none, even if it has begun.
func TestClientGivesUp(t *testing.T) {
	ctx, giveUp := context.WithCancel(t.Context())
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(ended)
	}))
	defer server.Close()
	var recorder Recorder
	address, err := recorder.Listen(t.Context(), "a", "b", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	giveUp()
	_ = response.Body.Close()
	<-ended
	recorder.Close()
	if all := recorder.Exchanges(); len(all) != 1 || all[0].Status != 0 || all[0].Err == "" {
		t.Errorf("recorded %+v, want no response", all)
	}
}
