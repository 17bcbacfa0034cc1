// Package recorder records the HTTP requests between services, with a proxy in front of each of them. So the numbers do not depend on
// what the services say about themselves.
package recorder

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// closeTimeout is how long an exchange may take when the recorder is closed.
const closeTimeout = 5 * time.Second

// mostBody is how much of a body is recorded, in bytes.
const mostBody = 64 << 10

// Exchange is a request from one service to another, and the response.
type Exchange struct {
	Client, Server      string
	Method, Path, Query string
	Sent, Received      string // the bodies
	TraceID, SpanID     string // of the header traceparent; empty without one
	Status              int    // 0 if there was no response
	Err                 string // why there was none
	Start, End          time.Time
}

// Recorder is safe for concurrent use. Its zero value is ready to use.
type Recorder struct {
	mu          sync.Mutex
	all         []Exchange
	servers     []*http.Server
	connections http.Transport
	running     sync.WaitGroup // exchanges
}

// Listen starts a proxy for the requests of one service to another, which listens at target, on a free port of the loopback interface. It
// returns host:port of the proxy.
func (r *Recorder) Listen(ctx context.Context, client, server, target string) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listening for requests to %s: %w", server, err)
	}
	proxy := &http.Server{Handler: r.proxy(client, server, target), ReadHeaderTimeout: 5 * time.Second}
	r.mu.Lock()
	r.servers = append(r.servers, proxy)
	r.mu.Unlock()
	go func() { _ = proxy.Serve(listener) }() // ends with Close
	return listener.Addr().String(), nil
}

// Exchanges returns all exchanges so far, in the order of their ends.
func (r *Recorder) Exchanges() []Exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Exchange(nil), r.all...)
}

// Close stops all proxies when they have recorded the exchanges that have begun, and closes all connections, because a service that stops
// waits for them.
func (r *Recorder) Close() {
	done := make(chan struct{})
	go func() {
		r.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(closeTimeout): // closing the connections ends the exchanges
	}
	r.mu.Lock()
	servers := r.servers
	r.servers = nil
	r.mu.Unlock()
	for _, server := range servers {
		_ = server.Close()
	}
	<-done
	r.connections.CloseIdleConnections()
}

func (r *Recorder) proxy(client, server, target string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.running.Add(1)
		defer r.running.Done()
		e := &Exchange{
			Client: client, Server: server, Start: time.Now(),
			Method: request.Method, Path: request.URL.Path, Query: request.URL.RawQuery,
		}
		ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.HeaderCarrier(request.Header))
		if from := trace.SpanContextFromContext(ctx); from.IsValid() {
			e.TraceID, e.SpanID = from.TraceID().String(), from.SpanID().String()
		}
		var sent, received body
		request.Body = sent.of(request.Body)
		defer func() { // a panic means that the client has disconnected
			if request.Context().Err() != nil {
				e.Status, e.Err = 0, "the client did not wait for the response"
			}
			e.Sent, e.Received, e.End = sent.String(), received.String(), time.Now()
			r.mu.Lock()
			defer r.mu.Unlock()
			r.all = append(r.all, *e)
		}()
		forward := httputil.ReverseProxy{
			Transport: &r.connections,
			Rewrite: func(p *httputil.ProxyRequest) {
				p.SetURL(&url.URL{Scheme: "http", Host: target})
				p.Out.Host = p.In.Host
			},
			ModifyResponse: func(response *http.Response) error {
				e.Status, response.Body = response.StatusCode, received.of(response.Body)
				return nil
			},
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
				e.Err = err.Error()
				w.WriteHeader(http.StatusBadGateway)
			},
		}
		forward.ServeHTTP(w, request)
	})
}

// body keeps the beginning of a body that is read. The transport may read a request's body after the response.
type body struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *body) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *body) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text.Write(p[:min(len(p), mostBody-b.text.Len())])
	return len(p), nil
}

func (b *body) of(from io.ReadCloser) io.ReadCloser {
	if from == nil || from == http.NoBody { // a wrapper would make the request chunked
		return from
	}
	return struct {
		io.Reader
		io.Closer
	}{io.TeeReader(from, b), from}
}
