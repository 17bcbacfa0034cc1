package httpserver

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// server is one under test, on a free port.
type server struct {
	url  string
	stop context.CancelFunc
	done chan error // the result of serve
}

func startServer(t *testing.T, handler http.Handler, drain time.Duration) server {
	t.Helper()
	return startLingering(t, handler, 0, drain)
}

func startLingering(t *testing.T, handler http.Handler, linger, drain time.Duration) server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return startServerOn(t, listener, handler, linger, drain)
}

func startServerOn(t *testing.T, listener net.Listener, handler http.Handler, linger, drain time.Duration) server {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	s := server{url: "http://" + listener.Addr().String(), stop: stop, done: make(chan error, 1)}
	go func() { s.done <- serve(ctx, listener, handler, linger, drain) }()
	return s
}

// blocker is a handler that replies "finished" when it is released, or says why it could not.
type blocker struct{ entered, release, cut chan struct{} }

func newBlocker() blocker {
	return blocker{make(chan struct{}), make(chan struct{}), make(chan struct{})}
}

func (b blocker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	close(b.entered)
	select {
	case <-b.release:
		_, _ = io.WriteString(w, "finished")
	case <-r.Context().Done():
		close(b.cut)
	}
}

type result struct {
	body string
	err  error
}

func get(ctx context.Context, url string) result {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return result{err: err}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return result{err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return result{string(body), err}
}

func within[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case got := <-c:
		return got
	case <-time.After(10 * time.Second):
		t.Fatalf("waited 10 s for %s", what)
		panic("unreachable")
	}
}

func TestStopLetsRequestsFinish(t *testing.T) {
	handler := newBlocker()
	s := startServer(t, handler, time.Minute)
	replies := make(chan result, 1)
	go func() { replies <- get(t.Context(), s.url) }()
	within(t, "the request to arrive", handler.entered)

	s.stop()
	for deadline := time.Now().Add(10 * time.Second); get(t.Context(), s.url+"/healthz").err == nil; {
		if time.Now().After(deadline) {
			t.Fatal("new connections are still accepted")
		}
	}
	close(handler.release)

	if got := within(t, "the reply", replies); got.err != nil || got.body != "finished" {
		t.Errorf("got %q, %v", got.body, got.err)
	}
	if err := within(t, "the server", s.done); err != nil {
		t.Errorf("serve: %v", err)
	}
}

func TestStopCutsOffRequestsThatTakeTooLong(t *testing.T) {
	handler := newBlocker()
	s := startServer(t, handler, time.Millisecond)
	replies := make(chan result, 1)
	go func() { replies <- get(t.Context(), s.url) }()
	within(t, "the request to arrive", handler.entered)

	s.stop()
	if err := within(t, "the server", s.done); err == nil || !strings.Contains(err.Error(), "did not finish within 1ms") {
		t.Errorf("serve: %v, want an error that says so", err)
	}
	if got := within(t, "the reply", replies); got.err == nil {
		t.Errorf("got a reply: %q", got.body)
	}
	within(t, "the handler's context to end", handler.cut)
}

// TestStopSaysGoodbye sends a request on a connection that the server keeps, when it has begun to stop.
func TestStopSaysGoodbye(t *testing.T) {
	s := startLingering(t, http.NotFoundHandler(), time.Minute, 5*time.Second)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	replies := bufio.NewReader(conn)
	ask := func() (closes bool) {
		if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(replies, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Fatal(err)
		}
		return response.Close
	}
	if ask() {
		t.Error("a connection is closed though the server goes on")
	}
	s.stop()
	for !ask() { // until the server knows
	}
	if _, err := replies.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last reply: %v, want the end of the connection", err)
	}
}

func TestPortThatIsTaken(t *testing.T) {
	s := startServer(t, http.NotFoundHandler(), time.Minute)
	addr := strings.TrimPrefix(s.url, "http://")
	err := Run(t.Context(), addr, http.NotFoundHandler())
	if err == nil || !strings.Contains(err.Error(), `ADDR="`+addr+`"`) {
		t.Errorf("error %v, want it to name ADDR and its value", err)
	}
}

func TestHealthz(t *testing.T) {
	s := startServer(t, http.NotFoundHandler(), time.Minute)
	tests := []struct {
		method, target string
		want           int
		allow          string
	}{
		{http.MethodGet, "/healthz", http.StatusOK, ""},
		{http.MethodHead, "/healthz", http.StatusOK, ""},
		{http.MethodGet, "/%68ealthz?x", http.StatusOK, ""},
		{http.MethodGet, "http://localhost/healthz", http.StatusOK, ""},
		{http.MethodPost, "/healthz", http.StatusMethodNotAllowed, "GET, HEAD"},
		{"INVENTED", "/healthz", http.StatusMethodNotAllowed, "GET, HEAD"},
		{http.MethodGet, "/healthz/", http.StatusNotFound, ""},
		{http.MethodGet, "//healthz", http.StatusNotFound, ""},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.target, func(t *testing.T) {
			status, header := ask(t, s, test.method, test.target)
			if allow := header.Get("Allow"); status != test.want || allow != test.allow {
				t.Errorf("status %d, Allow %q, want %d, %q", status, allow, test.want, test.allow)
			}
		})
	}
}

// TestPath wants the handler to see one path alone.
func TestPath(t *testing.T) {
	s := startServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Paths", strings.TrimSpace(r.URL.Path+" "+r.URL.RawPath))
	}), time.Minute)
	for target, want := range map[string]string{
		"/roll": "/roll", "/%72oll": "/roll", "/roll%2f": "/roll/", "/roll%3Fdie=fair": "/roll?die=fair", "/a%25b": "/a%b",
		"//roll": "//roll", "/x/../roll": "/x/../roll", "http://localhost": "/", "http://localhost?/roll": "/",
	} {
		_, header := ask(t, s, http.MethodGet, target)
		if got := header["Paths"]; len(got) != 1 || got[0] != want {
			t.Errorf("%s: paths %q, want %q", target, got, want)
		}
	}
}

// ask sends a request with any target. It returns the response's status and header.
func ask(t *testing.T, s server, method, target string) (int, http.Header) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, method+" "+target+" HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode, response.Header
}
