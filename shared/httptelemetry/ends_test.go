package httptelemetry_test

import (
	"bufio"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/riandyrn/otelchi"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"example.com/dice/shared/httpjson"
	"example.com/dice/shared/httptelemetry"
)

const patience = 30 * time.Second

// ending is a way in which a request can end.
type ending struct {
	name    string
	handler http.HandlerFunc
	status  int    // of the span and the metric, 0 if there is none
	failure string // the error.type of both
	leaves  bool   // the client does not wait for the response
	lost    bool   // the client gets no whole response
}

func (e ending) aborted() bool { return e.failure == "response_aborted" }

const first = "first part"

func begin(w http.ResponseWriter) { _, _ = io.WriteString(w, first) }

func flush(w http.ResponseWriter) { w.(http.Flusher).Flush() }

// hijack takes the connection over, and answers and closes it.
func hijack(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
}

func replyWith(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// then calls one after the other.
func then(steps ...func(http.ResponseWriter)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, step := range steps {
			step(w)
		}
	}
}

func header(status int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { w.WriteHeader(status) }
}

func fail(http.ResponseWriter)  { panic("it broke") }
func abort(http.ResponseWriter) { panic(http.ErrAbortHandler) }

// endings are all that there are.
var endings = []ending{
	{name: "writes nothing", handler: then(), status: 200},
	{name: "writes", handler: then(begin), status: 200},
	{name: "copies", handler: then(func(w http.ResponseWriter) { _, _ = io.Copy(w, strings.NewReader(first)) }), status: 200},
	{name: "flushes", handler: then(flush), status: 200},
	{name: "flushes after it wrote", handler: then(begin, flush, begin), status: 200},
	{name: "204", handler: replyWith(204), status: 204},
	{name: "304", handler: replyWith(304), status: 304},
	{name: "404", handler: replyWith(404), status: 404},
	{name: "460, which no standard knows", handler: replyWith(460), status: 460},
	{name: "500", handler: replyWith(500), status: 500, failure: "500"},
	{name: "503", handler: then(header(503), begin), status: 503, failure: "503"},
	{name: "599, which no standard knows", handler: replyWith(599), status: 599, failure: "599"},
	{name: "100, 200", handler: then(header(100), begin), status: 200},
	{name: "103, 200", handler: then(header(103), begin), status: 200},
	{name: "102, 103, 404", handler: then(header(102), header(103), header(404)), status: 404},
	{name: "103, 500", handler: then(header(103), header(500)), status: 500, failure: "500"},
	{name: "404, 103, 500", handler: then(header(404), header(103), header(500)), status: 404},
	{name: "500 after it wrote", handler: then(begin, header(500)), status: 200},
	{name: "500 after it flushed", handler: then(flush, header(500)), status: 200},
	{name: "invalid status 0", handler: replyWith(0), status: 500, failure: "500"},
	{name: "invalid status 99", handler: replyWith(99), status: 500, failure: "500"},
	{name: "invalid status 1000", handler: replyWith(1000), status: 500, failure: "500"},
	{name: "panics", handler: then(fail), status: 500, failure: "500"},
	{name: "panics after 103", handler: then(header(103), fail), status: 500, failure: "500"},
	{name: "panics after it wrote", handler: then(begin, fail), status: 200, failure: "response_aborted"},
	{name: "panics after it flushed", handler: then(begin, flush, fail), status: 200, failure: "response_aborted"},
	{name: "panics after 404", handler: then(header(404), fail), status: 404, failure: "response_aborted"},
	{name: "panics after 503", handler: then(header(503), fail), status: 503, failure: "503", lost: true},
	{name: "aborts", handler: then(abort), failure: "response_aborted"},
	{name: "aborts after it wrote", handler: then(begin, abort), status: 200, failure: "response_aborted"},
	{name: "aborts after it flushed", handler: then(begin, flush, abort), status: 200, failure: "response_aborted"},
	{name: "ends its goroutine", handler: then(func(http.ResponseWriter) { runtime.Goexit() }), failure: "response_aborted"},
	{name: "takes the connection over", handler: then(hijack), status: 101},
	{name: "takes the connection over and panics", handler: then(hijack, fail), status: 101, failure: "response_aborted"},
	{name: "body too large", handler: func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1))
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			httpjson.Error(w, http.StatusRequestEntityTooLarge, "too large")
		}
	}, status: 413},
	{name: "no time to write", handler: func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).SetWriteDeadline(time.Unix(1, 0)); err != nil {
			panic(err)
		}
		begin(w)
	}, status: 200, lost: true},
	{name: "client leaves", handler: func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // net/http does not notice before
		<-r.Context().Done()
		httpjson.Error(w, httpjson.StatusClientClosedRequest, "canceled by the caller")
	}, status: 499, leaves: true},
}

// variants are requests that libraries treat differently. Their body is sent at once, even if they say that they wait.
var variants = map[string]string{
	"GET":              "GET /end HTTP/1.1\r\n",
	"HEAD":             "HEAD /end HTTP/1.1\r\n",
	"POST":             "POST /end HTTP/1.1\r\n",
	"HTTP/1.0":         "GET /end HTTP/1.0\r\n",
	"upgrade":          "GET /end HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
	"expectation":      "POST /end HTTP/1.1\r\nExpect: 100-continue\r\n",
	"another method":   "POST /end HTTP/1.1\r\nX-HTTP-Method-Override: DELETE\r\n",
	"last on its line": "GET /end HTTP/1.1\r\nConnection: close\r\n",
}

// observedRouter has the services' middleware in their order.
func observedRouter(spans sdktrace.SpanProcessor) chi.Router {
	r := chi.NewRouter()
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	r.Use(otelchi.Middleware("", otelchi.WithChiRoutes(r), otelchi.WithRequestMethodInSpanName(true), otelchi.WithTracerProvider(tracers)))
	r.Use(httptelemetry.Server("die"))
	r.Use(httpjson.Recoverer)
	r.NotFound(httpjson.NotFound)
	r.MethodNotAllowed(httpjson.MethodNotAllowed(r))
	return r
}

// exchange sends a request to a server of its own, and returns its span, what was recorded of it, and what the client
// got. The client does not wait for the response if it leaves.
func exchange(t *testing.T, request string, leaves bool, routes func(chi.Router)) (sdktrace.ReadOnlySpan, attribute.Set, answer) {
	t.Helper()
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.DiscardHandler))
	spans := tracetest.NewSpanRecorder()
	router := observedRouter(spans)
	routes(router)
	server := httptest.NewUnstartedServer(router)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	defer server.Close()

	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request+"Host: localhost\r\nContent-Length: 4\r\n\r\nbody"); err != nil {
		t.Fatal(err)
	}
	var got answer
	if leaves {
		conn.Close()
	} else {
		got = read(t, conn, strings.Fields(request)[0])
	}
	for deadline := time.Now().Add(patience); len(spans.Ended()) == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if len(spans.Ended()) != 1 {
		t.Fatalf("%d spans, want 1", len(spans.Ended()))
	}
	point := collect(t, reader)
	if point.Count != 1 {
		t.Errorf("%d durations, want 1", point.Count)
	}
	return spans.Ended()[0], point.Attributes, got
}

// answer is what a client gets. Its status is 0 if it gets no response, or only a part.
type answer struct {
	status int
	allow  string
	body   string
}

func read(t *testing.T, conn net.Conn, method string) answer {
	t.Helper()
	reader := bufio.NewReader(conn)
	for {
		response, err := http.ReadResponse(reader, &http.Request{Method: method})
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		if err != nil {
			return answer{}
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			return answer{body: string(body)}
		}
		if response.StatusCode >= http.StatusOK || response.StatusCode == http.StatusSwitchingProtocols {
			return answer{response.StatusCode, response.Header.Get("Allow"), string(body)}
		}
	}
}

// TestEnds wants the span and the metric of each request to agree on how it ended, and to say what the client saw.
func TestEnds(t *testing.T) {
	for _, e := range endings {
		for variant, request := range variants {
			t.Run(e.name+", "+variant, func(t *testing.T) {
				span, recorded, got := exchange(t, request, e.leaves, func(r chi.Router) { r.HandleFunc("/end", e.handler) })
				checkEnd(t, e, span, recorded)
				method, _, _ := strings.Cut(request, " ")
				if span.Name() != method+" /end" {
					t.Errorf("the span is named %s", span.Name())
				}
				if strings.Contains(got.body, first) && strings.Contains(got.body, "error") {
					t.Errorf("an error was appended: %q", got.body)
				}
				switch {
				case got.status != 0 && got.status != e.status:
					t.Errorf("the client got status %d, want %d", got.status, e.status)
				case got.status == 0 && !e.aborted() && !e.lost && !e.leaves:
					t.Errorf("the client got no response, want status %d", e.status)
				case got.status != 0 && e.aborted() && method != http.MethodHead && variant != "HTTP/1.0" && e.status != http.StatusSwitchingProtocols:
					// The head alone is all of a response to HEAD. HTTP/1.0 has no sign of a body's end.
					t.Errorf("the client took an aborted response for a whole one: %+v", got)
				}
			})
		}
	}
}

func checkEnd(t *testing.T, want ending, span sdktrace.ReadOnlySpan, recorded attribute.Set) {
	t.Helper()
	traced := attribute.NewSet(span.Attributes()...)
	for signal, attributes := range map[string]attribute.Set{"span": traced, "metric": recorded} {
		if got, _ := attributes.Value("http.response.status_code"); int(got.AsInt64()) != want.status {
			t.Errorf("the %s has status %s, want %d", signal, got.String(), want.status)
		}
		if got, _ := attributes.Value("error.type"); got.AsString() != want.failure {
			t.Errorf("the %s has error.type %q, want %q", signal, got.AsString(), want.failure)
		}
		if got, _ := attributes.Value("http.route"); got.AsString() != "/end" {
			t.Errorf("the %s has http.route %q", signal, got.AsString())
		}
	}
	// The old name, which the collector replaces. otelchi does not know of connections that were taken over.
	if old, ok := traced.Value("http.status_code"); ok && int(old.AsInt64()) != want.status && want.status != http.StatusSwitchingProtocols {
		t.Errorf("the span has http.status_code %d, want %d", old.AsInt64(), want.status)
	}
	if failed := span.Status().Code == codes.Error; failed != (want.failure != "") && !unknownToOtelchi(want.status) {
		t.Errorf("the span has status %v", span.Status())
	}
}

// unknownToOtelchi reports whether otelchi takes a status for an error because it does not know it. The collector
// corrects that.
func unknownToOtelchi(status int) bool {
	return status == 460 || status == httpjson.StatusClientClosedRequest
}
