package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// TestRollsShareAConnection wants one pool for both routes, because they are on the same host.
func TestRollsShareAConnection(t *testing.T) {
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(replyWith(http.StatusOK, "{}"))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	service := newRollService(server.URL, 10*time.Second)
	for _, times := range []string{"1", "2", "1"} {
		if got, err := service.roll(t.Context(), "fair", times); err != nil || got.status != http.StatusOK {
			t.Fatal(got, err)
		}
	}
	if got := opened.Load(); got != 1 {
		t.Errorf("%d connections, want 1", got)
	}
}
