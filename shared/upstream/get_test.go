package upstream_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/dice/shared/upstream"
)

func TestGetJSON(t *testing.T) {
	tests := []struct {
		status int
		body   string
		want   int    // the decoded number
		err    string // begins so
	}{
		{200, `{"number": 7}`, 7, ""},
		{200, `{"number": 7}` + strings.Repeat(" ", 64<<10), 7, ""},
		{200, `{"number": "7"}`, 0, "decoding the response: json: cannot unmarshal string"},
		{200, `{"number": 7, "text": 1}`, 0, "decoding the response: json: cannot unmarshal number"}, // nothing of it
		{200, `<html>`, 0, "decoding the response: invalid character '<'"},
		{404, `{"error": "unknown"}`, 0, "unexpected status 404 Not Found: unknown"},
		{500, `<html>`, 0, "unexpected status 500 Internal Server Error: "},
	}
	for _, test := range tests {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.status)
			_, _ = w.Write([]byte(test.body))
		}))
		var reply struct {
			Number int
			Text   string
		}
		err := upstream.GetJSON(t.Context(), server.Client(), server.URL, &reply)
		server.Close()
		if (err == nil) != (test.err == "") || err != nil && !strings.HasPrefix(err.Error(), test.err) {
			t.Errorf("%d %.20s: error %v, want %q", test.status, test.body, err, test.err)
		}
		if reply.Number != test.want {
			t.Errorf("%d %.20s: %d, want %d", test.status, test.body, reply.Number, test.want)
		}
	}
}

func TestGetReadsNoMoreThanItSays(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 100<<10))
	}))
	defer server.Close()
	if _, body, err := upstream.Get(t.Context(), server.Client(), server.URL); err != nil || len(body) != 64<<10 {
		t.Errorf("%d bytes, %v, want 64 KiB", len(body), err)
	}
}

// TestConnectionsAreKept makes more calls at once than the default keeps connections for, and then as many again.
func TestConnectionsAreKept(t *testing.T) {
	const calls = 10
	var opened, arrived atomic.Int32
	together := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if arrived.Add(1)%calls != 0 {
			<-together
			return
		}
		for range calls - 1 {
			together <- struct{}{}
		}
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	client := &http.Client{Transport: upstream.Connections(), Timeout: 10 * time.Second}
	for range 2 {
		var group sync.WaitGroup
		for range calls {
			group.Go(func() {
				if _, _, err := upstream.Get(t.Context(), client, server.URL); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	if got := opened.Load(); got != calls {
		t.Errorf("%d connections for %d calls at once, twice", got, calls)
	}
}
