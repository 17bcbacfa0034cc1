// Package httpserver serves HTTP until it is told to stop, and then lets requests in flight finish.
package httpserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"example.com/dice/shared/httpjson"
)

const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 30 * time.Second
	idleTimeout   = time.Minute
	drainTimeout  = 10 * time.Second
	lingerTime    = 200 * time.Millisecond
	maxHeader     = 64 << 10 // bytes
)

// Run serves handler on addr. It also serves GET /healthz, outside the handler, so that health checks are neither
// traced nor counted.
//
// When ctx is done, Run stops accepting connections, and returns nil once all requests in flight have finished. For
// another 200 ms it accepts requests on open connections, and closes each of these connections after the response.
// Requests that are not finished after 10 seconds are cut off, and Run returns an error.
func Run(ctx context.Context, addr string, handler http.Handler) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("ADDR=%q: %w", addr, err)
	}
	return serve(ctx, listener, handler, lingerTime, drainTimeout)
}

func serve(ctx context.Context, listener net.Listener, handler http.Handler, linger, drain time.Duration) error {
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	var stopping atomic.Bool
	server := &http.Server{
		Handler:           withGoodbye(withDecodedPath(withHealth(handler)), &stopping),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return requests },
	}

	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	slog.InfoContext(ctx, "listening", "address", listener.Addr().String())

	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}

	slog.InfoContext(ctx, "stopping")
	deadline, cancel := context.WithTimeout(requests, drain)
	defer cancel()
	// Shutdown closes idle connections at once, even one on which a client has just sent a request.
	stopping.Store(true)
	_ = listener.Close()
	if err := <-failed; !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	select {
	case <-deadline.Done():
	case <-time.After(linger):
	}
	if err := server.Shutdown(deadline); err != nil {
		return errors.Join(fmt.Errorf("cut off requests that did not finish within %s: %w", drain, err), server.Close())
	}
	return nil
}

// withGoodbye announces in the responses that the server sends while it stops that the connection will be closed.
func withGoodbye(handler http.Handler, stopping *atomic.Bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		handler.ServeHTTP(w, r)
	})
}

// withDecodedPath has routers match the decoded path, so that /%72oll is /roll, and a missing path is "/".
//
// https://www.rfc-editor.org/rfc/rfc9110#section-4.2.3
func withDecodedPath(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path, r.URL.RawPath = cmp.Or(r.URL.Path, "/"), ""
		handler.ServeHTTP(w, r)
	})
}

func withHealth(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/healthz":
			handler.ServeHTTP(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			httpjson.Error(w, http.StatusMethodNotAllowed, "this path allows GET, HEAD only")
		default:
			httpjson.Reply(w, http.StatusOK, map[string]string{"status": "ok"})
		}
	})
}
