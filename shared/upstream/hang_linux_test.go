package upstream_test

import (
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/dice/shared/upstream"
)

// hangingListener returns a listener whose queue is full, so that the system drops further attempts to connect, until
// Accept is called.
func hangingListener(t *testing.T) net.Listener {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "listener")
	defer file.Close()
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	listener, err := net.FileListener(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	for { // until the queue is full
		conn, err := net.DialTimeout("tcp", listener.Addr().String(), 100*time.Millisecond)
		if err != nil {
			return listener
		}
		t.Cleanup(func() { conn.Close() })
	}
}

// afterwards is a transport that calls done after the first attempt.
type afterwards struct {
	http.RoundTripper
	done func()
	once sync.Once
}

func (a *afterwards) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := a.RoundTripper.RoundTrip(r)
	a.once.Do(a.done)
	return response, err
}

const lookupTimeout = 4 * time.Second // twice that of the services, for busy machines

// TestRetryAfterAnAttemptThatHangs connects to a service that answers the second attempt only.
func TestRetryAfterAnAttemptThatHangs(t *testing.T) {
	listener := hangingListener(t)
	server := &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Minute}
	defer server.Close()
	serve := func() { go func() { _ = server.Serve(listener) }() }
	transport := &afterwards{RoundTripper: upstream.Connections(), done: serve}
	client := &http.Client{Transport: upstream.Retry(transport), Timeout: lookupTimeout}
	status, _, err := upstream.Get(t.Context(), client, "http://"+listener.Addr().String())
	if err != nil || status != http.StatusNotFound {
		t.Errorf("status %d, %v, want the answer to the second attempt", status, err)
	}
}

// TestServiceThatCannotBeReached wants both attempts to hang, and to leave time to say so.
func TestServiceThatCannotBeReached(t *testing.T) {
	listener := hangingListener(t)
	client := &http.Client{Transport: upstream.Retry(upstream.Connections()), Timeout: lookupTimeout}
	_, _, err := upstream.Get(t.Context(), client, "http://"+listener.Addr().String())
	if status, sentence := upstream.Explain("die", err); status != http.StatusServiceUnavailable {
		t.Errorf("%v: %d %s, want 503", err, status, sentence)
	}
}
