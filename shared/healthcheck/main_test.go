package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// ownAddress returns an address of this system that others can reach, or "".
func ownAddress(t *testing.T) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		if network, ok := address.(*net.IPNet); ok && network.IP.IsGlobalUnicast() {
			return network.IP.String()
		}
	}
	return ""
}

// TestCheck wants the address that the service listens on to be asked, whatever it is, and not through a proxy.
func TestCheck(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	for _, host := range []string{"", "0.0.0.0", "::", "localhost", "127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1", ownAddress(t)} {
		t.Run(host, func(t *testing.T) {
			listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
			if err != nil {
				t.Skip(err) // not every system has all of them
			}
			status := http.StatusOK
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/healthz" {
					t.Errorf("asked for %s", r.URL.Path)
				}
				w.WriteHeader(status)
			}))
			server.Listener.Close()
			server.Listener = listener
			server.Start()
			defer server.Close()
			_, port, err := net.SplitHostPort(listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			addr := net.JoinHostPort(host, port)

			if err := check(addr); err != nil {
				t.Errorf("a healthy service: %v", err)
			}
			status = http.StatusServiceUnavailable
			if err := check(addr); err == nil || !strings.Contains(err.Error(), "503 Service Unavailable") {
				t.Errorf("an unhealthy service: %v", err)
			}
		})
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
