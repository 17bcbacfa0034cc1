package httpserver

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener without a network, so that time can be faked.
type pipes struct {
	accept chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.accept:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// endless reads as many bytes of the same kind as anyone asks for.
type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

// trickle reads one byte a second, for ever.
type trickle byte

func (b trickle) Read(p []byte) (int, error) {
	time.Sleep(time.Second)
	p[0] = byte(b)
	return 1, nil
}

// TestHostileConnections sends what no browser sends, and wants the connection to end in time, with a reply if there can
// be one.
func TestHostileConnections(t *testing.T) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // which the server's own errors would go to
	const post = "POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 10485760\r\n\r\n"
	tests := []struct {
		name, begin string
		then        io.Reader // nil: silence
		status      int       // 0: none
		most        time.Duration
	}{
		{"silence", "", nil, 0, headerTimeout},
		{"half a header", "GET / HTTP/1.1\r\nHost: a", nil, 0, headerTimeout},
		{"slow header", "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ", trickle('x'), 0, headerTimeout},
		{"header of 2 MB", "GET / HTTP/1.1\r\nHost: a\r\nX-Large: ", io.LimitReader(endless('x'), 2<<20), 431, time.Second},
		{"header of 100 kB", "GET / HTTP/1.1\r\nHost: a\r\nX-Large: ", io.LimitReader(endless('x'), 100<<10), 431, time.Second},
		{"path of 2 MB", "GET /", io.LimitReader(endless('x'), 2<<20), 431, time.Second},
		{"slow body", post, trickle('x'), 408, readTimeout + time.Second},
		{"body that never comes", post, nil, 408, readTimeout + time.Second},
		{"body of 10 MB that nobody reads", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10485760\r\n\r\n", io.LimitReader(endless('x'), 10<<20), 200, time.Second},
		{"body of 10 MB in a GET", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nA00000\r\n", io.LimitReader(endless('x'), 10<<20), 200, time.Second},
		{"two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", nil, 400, time.Second},
		{"no host", "GET / HTTP/1.1\r\n\r\n", nil, 400, time.Second},
		{"NUL in a header", "GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", nil, 400, time.Second},
		{"no HTTP", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", nil, 400, time.Second},
		{"nothing after the reply", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", nil, 200, idleTimeout},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				listener := &pipes{accept: make(chan net.Conn), closed: make(chan struct{})}
				s := startServerOn(t, listener, http.HandlerFunc(readIfAsked), 0, time.Minute)
				client, server := net.Pipe()
				listener.accept <- server
				var sender sync.WaitGroup
				sender.Go(func() {
					_, _ = io.WriteString(client, test.begin)
					if test.then != nil {
						_, _ = io.Copy(client, test.then) // until the server has enough
					}
				})

				start, status := time.Now(), 0
				reader := bufio.NewReader(client)
				if response, err := http.ReadResponse(reader, nil); err == nil {
					status = response.StatusCode
					_, _ = io.Copy(io.Discard, response.Body)
					response.Body.Close()
				}
				_, _ = io.Copy(io.Discard, reader) // until the server closes
				if took := time.Since(start); status != test.status || took > test.most {
					t.Errorf("status %d, the end after %s, want %d after %s at most", status, took, test.status, test.most)
				}
				client.Close()
				sender.Wait()
				s.stop()
				if err := <-s.done; err != nil {
					t.Errorf("serve: %v", err)
				}
			})
		})
	}
}

// TestClientThatDoesNotRead wants the handler to get an error in time.
func TestClientThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := &pipes{accept: make(chan net.Conn), closed: make(chan struct{})}
		blocked := make(chan time.Duration, 1)
		s := startServerOn(t, listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			start := time.Now()
			if _, err := io.Copy(w, io.LimitReader(endless('x'), 1<<20)); err == nil {
				t.Error("the response was written, though nobody reads it")
			}
			blocked <- time.Since(start)
		}), 0, time.Minute)
		client, server := net.Pipe()
		defer client.Close()
		listener.accept <- server
		if _, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if took := <-blocked; took > writeTimeout {
			t.Errorf("the handler was blocked for %s, want %s at most", took, writeTimeout)
		}
		s.stop()
		if err := <-s.done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
}

// readIfAsked replies 408 if the body does not come.
func readIfAsked(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/read") {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			w.WriteHeader(http.StatusRequestTimeout)
		}
	}
}
