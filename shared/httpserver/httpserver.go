// Package httpserver serves HTTP until it is told to stop, and then lets requests under way finish.
package httpserver

import (
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

// Run serves handler on addr, and GET /healthz beside it: outside the handler, so that health checks are
// neither traced nor counted.
//
// When ctx is done, Run stops accepting connections and returns nil once the requests under way have their
// replies. For 200 ms it still takes requests on the connections that there are, and tells their callers in the
// replies not to send more. Requests that take longer than 10 seconds then are cut off, and Run says so in its error.
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
		Handler:           withGoodbye(withHealth(handler), &stopping),
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
	// Shutdown closes idle connections at once, also one on which a request has just been sent.
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
		return errors.Join(fmt.Errorf("cutting off requests that did not finish in %s: %w", drain, err), server.Close())
	}
	return nil
}

// withGoodbye closes the connection of each request that arrives while the server stops, after the reply says so.
func withGoodbye(handler http.Handler, stopping *atomic.Bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if stopping.Load() {
			w.Header().Set("Connection", "close")
		}
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
