package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	addr := server.Listener.Addr().String()

	if err := check(addr); err != nil {
		t.Errorf("a healthy service: %v", err)
	}
	status = http.StatusServiceUnavailable
	if err := check(addr); err == nil || !strings.Contains(err.Error(), "503 Service Unavailable") {
		t.Errorf("an unhealthy service: %v", err)
	}
}

func TestCheckOfNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	listener.Close()
	if err := check(addr); err == nil {
		t.Error("no error although nothing listens")
	}
}
