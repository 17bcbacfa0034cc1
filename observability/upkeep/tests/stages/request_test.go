package stages

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// request is a request of a test, and what is wanted of the reply.
type request struct {
	name, method, target string
	body                 string // of a POST, a form unless a header says otherwise
	endless              bool   // the body goes on for as long as anybody reads it
	header               []string

	status int
	want   string // the whole reply, or the output box of a page
	record string // the one log record, such as "INFO run"; empty: whatever it is
}

// parent is the span that a test's requests come from.
const parent = "0123456789abcdef"

// mostRead is more of a body than the buffers of a connection hold, in bytes.
const mostRead = 32 << 20

// answer is a reply, and the trace that the request began.
type answer struct {
	*http.Response
	body, trace string
}

// send sends a request. If its context ends first, the answer has the trace alone.
func send(ctx context.Context, t *testing.T, s *service, r request) *answer {
	t.Helper()
	var body io.Reader = strings.NewReader(r.body)
	rest := &counted{most: mostRead}
	if r.endless {
		body = io.MultiReader(body, rest)
	}
	sent, err := http.NewRequestWithContext(ctx, r.method, s.url+r.target, body)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	got := &answer{trace: hex.EncodeToString(id)}
	sent.Header.Set("Traceparent", "00-"+got.trace+"-"+parent+"-01")
	if r.method == http.MethodPost {
		sent.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(r.header); i += 2 {
		sent.Header.Set(r.header[i], r.header[i+1])
	}
	browser := http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := browser.Do(sent)
	if err != nil {
		if ctx.Err() == nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		return got
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s: %v", r.name, err)
	}
	if rest.read.Load() >= mostRead {
		t.Errorf("%s: %d bytes of the body were read", r.name, rest.read.Load())
	}
	got.Response, got.body = response, string(text)
	return got
}

// counted is a body that is as long as anybody reads it, up to a bound.
type counted struct {
	most int64
	read atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	if c.read.Load() >= c.most {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = 'x'
	}
	c.read.Add(int64(len(p)))
	return len(p), nil
}

// ask sends a request to a service that speaks JSON, and compares the reply.
func ask(t *testing.T, s *service, r request) *answer {
	t.Helper()
	got := send(t.Context(), t, s, r)
	if got.StatusCode != r.status || got.body != r.want+"\n" || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s: status %d %s %s\nwant   %d %s", r.name, got.StatusCode, got.Header.Get("Content-Type"), got.body, r.status, r.want)
	}
	if r.record != "" {
		s.wantRecord(t, got.trace, r.record)
	}
	return got
}

// leave sends a request, and goes away as soon as it is sent and arrived is closed. It wants this record of that, or none.
func leave(t *testing.T, s *service, r request, arrived <-chan struct{}) {
	t.Helper()
	written := make(chan struct{})
	ctx, cancel := context.WithCancel(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { close(written) },
	}))
	defer cancel()
	go func() {
		<-written
		<-arrived
		cancel()
	}()
	got := send(ctx, t, s, r)
	records, spans := s.trace(t, got.trace)
	if strings.Join(records, ", ") != r.record {
		t.Errorf("%s: log records %q, want %q", r.name, records, r.record)
	}
	if last := spans[len(spans)-1]; last.attribute("http.status_code") != "499" { // the name that the collector changes
		t.Errorf("%s: span %+v, want the status 499", r.name, last)
	}
}

// backend is a service behind the one that is tested. What it answers can be changed.
type backend struct {
	*httptest.Server
	handler atomic.Pointer[http.HandlerFunc]
}

func startBackend(t *testing.T, handler http.HandlerFunc) *backend {
	t.Helper()
	b := new(backend)
	b.answer(handler)
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*b.handler.Load())(w, r) }))
	t.Cleanup(b.Close)
	return b
}

func (b *backend) answer(handler http.HandlerFunc) { b.handler.Store(&handler) }

// hold has the backend answer nothing. It returns channels that are closed when a request arrives, and when its caller is gone.
func (b *backend) hold() (arrived, ended chan struct{}) {
	arrived, ended = make(chan struct{}), make(chan struct{})
	b.answer(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		close(ended)
	})
	return arrived, ended
}

func replyWith(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func slow(_ http.ResponseWriter, r *http.Request)     { <-r.Context().Done() }
func breakOff(_ http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }

// waitFor waits until a channel is closed.
func waitFor(t *testing.T, what string, closed <-chan struct{}) {
	t.Helper()
	select {
	case <-closed:
	case <-time.After(time.Minute):
		t.Error(what)
	}
}
