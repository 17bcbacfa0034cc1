package otlp_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	gzipencoding "google.golang.org/grpc/encoding/gzip"

	"example.com/dice/observability/internal/otlp"
)

// sink counts what arrives.
type sink struct {
	mu                   sync.Mutex
	spans, points, lines int
	bytes                int
	refused              []otlp.Refusal
}

func (s *sink) Traces(data ptrace.Traces, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spans, s.bytes = s.spans+data.SpanCount(), s.bytes+size
}

func (s *sink) Metrics(data pmetric.Metrics, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.points, s.bytes = s.points+data.DataPointCount(), s.bytes+size
}

func (s *sink) Logs(data plog.Logs, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines, s.bytes = s.lines+data.LogRecordCount(), s.bytes+size
}

func (s *sink) Refused(r otlp.Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = append(s.refused, r)
}

// wait returns the refusals, once there are some.
func (s *sink) wait(t *testing.T) []otlp.Refusal {
	t.Helper()
	for range 500 {
		s.mu.Lock()
		got := slices.Clone(s.refused)
		s.mu.Unlock()
		if len(got) > 0 {
			return got
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("nothing was refused")
	return nil
}

func traces() ptrace.Traces {
	data := ptrace.NewTraces()
	data.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName("GET /orders")
	return data
}

func metrics() pmetric.Metrics {
	data := pmetric.NewMetrics()
	data.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints().AppendEmpty()
	return data
}

func logs() plog.Logs {
	data := plog.NewLogs()
	data.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	return data
}

func listen(t *testing.T, protocol otlp.Protocol) (*otlp.Server, *sink) {
	t.Helper()
	got := new(sink)
	server, err := otlp.Listen(t.Context(), "127.0.0.1:0", protocol, "port 1", got)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server, got
}

func dial(t *testing.T, server *otlp.Server) *grpc.ClientConn {
	t.Helper()
	connection, err := grpc.NewClient(server.Address(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection
}

// TestReceive sends one message of each signal in each way.
func TestReceive(t *testing.T) {
	posts := func(contentType, encoding string) func(t *testing.T, server *otlp.Server) {
		return func(t *testing.T, server *otlp.Server) {
			t.Helper()
			for path, request := range map[string]interface {
				MarshalProto() ([]byte, error)
				MarshalJSON() ([]byte, error)
			}{
				"/v1/traces":  ptraceotlp.NewExportRequestFromTraces(traces()),
				"/v1/metrics": pmetricotlp.NewExportRequestFromMetrics(metrics()),
				"/v1/logs":    plogotlp.NewExportRequestFromLogs(logs()),
			} {
				body, err := request.MarshalProto()
				if strings.HasPrefix(contentType, "application/json") {
					body, err = request.MarshalJSON()
				}
				if err != nil {
					t.Fatal(err)
				}
				if status, text := post(t, server, path, contentType, encoding, body); status != http.StatusOK {
					t.Errorf("%s: %d %s", path, status, text)
				}
			}
		}
	}
	calls := func(options ...grpc.CallOption) func(t *testing.T, server *otlp.Server) {
		return func(t *testing.T, server *otlp.Server) {
			t.Helper()
			connection := dial(t, server)
			_, err1 := ptraceotlp.NewGRPCClient(connection).Export(t.Context(), ptraceotlp.NewExportRequestFromTraces(traces()), options...)
			_, err2 := pmetricotlp.NewGRPCClient(connection).Export(t.Context(), pmetricotlp.NewExportRequestFromMetrics(metrics()), options...)
			_, err3 := plogotlp.NewGRPCClient(connection).Export(t.Context(), plogotlp.NewExportRequestFromLogs(logs()), options...)
			if err1 != nil || err2 != nil || err3 != nil {
				t.Error(err1, err2, err3)
			}
		}
	}
	for name, test := range map[string]struct {
		protocol otlp.Protocol
		send     func(t *testing.T, server *otlp.Server)
	}{
		"gRPC":                {otlp.GRPC, calls()},
		"gRPC, gzip":          {otlp.GRPC, calls(grpc.UseCompressor(gzipName))},
		"protobuf":            {otlp.HTTP, posts("application/x-protobuf", "")},
		"protobuf, gzip":      {otlp.HTTP, posts("application/x-protobuf", "gzip")},
		"JSON":                {otlp.HTTP, posts("application/json; charset=utf-8", "")},
		"either as gRPC":      {otlp.Either, calls()},
		"either as HTTP JSON": {otlp.Either, posts("application/json", "gzip")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, got := listen(t, test.protocol)
			test.send(t, server)
			if got.spans != 1 || got.points != 1 || got.lines != 1 || got.bytes == 0 || got.refused != nil {
				t.Errorf("%+v", got)
			}
		})
	}
}

const gzipName = gzipencoding.Name

func post(t *testing.T, server *otlp.Server, path, contentType, encoding string, body []byte) (status int, text string) {
	t.Helper()
	if encoding == "gzip" {
		var zipped bytes.Buffer
		w := gzip.NewWriter(&zipped)
		if _, err := w.Write(body); err != nil {
			t.Fatal(err)
		}
		w.Close()
		body = zipped.Bytes()
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+server.Address()+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	if encoding != "" {
		request.Header.Set("Content-Encoding", encoding)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(all)
}

// TestRefuse sends what a collector would refuse, and wants the reason.
func TestRefuse(t *testing.T) {
	const protobuf = "application/x-protobuf"
	large := make([]byte, 21<<20)
	sends := func(path, contentType, encoding string, body []byte, status int) func(t *testing.T, server *otlp.Server) {
		return func(t *testing.T, server *otlp.Server) {
			t.Helper()
			if got, text := post(t, server, path, contentType, encoding, body); got != status {
				t.Errorf("status %d, want %d: %s", got, status, text)
			}
		}
	}
	calls := func(method string, request any) func(t *testing.T, server *otlp.Server) {
		return func(t *testing.T, server *otlp.Server) {
			t.Helper()
			if err := dial(t, server).Invoke(t.Context(), method, request, new([]byte), grpc.ForceCodec(raw{})); err == nil {
				t.Error("the call succeeded")
			}
		}
	}
	handshake := func(t *testing.T, server *otlp.Server) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := new(tls.Dialer).DialContext(ctx, "tcp", server.Address()); err == nil {
			t.Error("the handshake succeeded")
		}
	}
	const export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
	for name, test := range map[string]struct {
		protocol otlp.Protocol
		send     func(t *testing.T, server *otlp.Server)
		reason   otlp.Reason
		detail   string
	}{
		"root":                    {otlp.HTTP, sends("/", protobuf, "", nil, 404), otlp.WrongPath, "POST /: there is no such path. Want /v1/traces, /v1/metrics or /v1/logs: an endpoint for one"},
		"twice":                   {otlp.HTTP, sends("/v1/traces/v1/traces", protobuf, "", nil, 404), otlp.WrongPath, "Want /v1/traces: OTEL_EXPORTER_OTLP_ENDPOINT must not include a path"},
		"singular":                {otlp.HTTP, sends("/v1/metric", protobuf, "", nil, 404), otlp.WrongPath, "Want /v1/metrics"},
		"Zipkin":                  {otlp.HTTP, sends("/api/v2/spans", "application/json", "", nil, 404), otlp.WrongPath, "Zipkin"},
		"remote write":            {otlp.HTTP, sends("/api/v1/write", protobuf, "", nil, 404), otlp.WrongPath, "remote write"},
		"something":               {otlp.HTTP, sends("/otlp", protobuf, "", nil, 404), otlp.WrongPath, "Want /v1/traces, /v1/metrics or /v1/logs"},
		"content type":            {otlp.HTTP, sends("/v1/traces", "text/plain", "", nil, 415), otlp.WrongEncoding, `content type "text/plain"`},
		"no content type":         {otlp.HTTP, sends("/v1/traces", "", "", nil, 415), otlp.WrongEncoding, `content type ""`},
		"compression":             {otlp.HTTP, sends("/v1/logs", protobuf, "zstd", nil, 415), otlp.WrongEncoding, `compressed by "zstd"`},
		"not gzip":                {otlp.HTTP, sends("/v1/logs", protobuf, "GZIP", []byte("no"), 400), otlp.Malformed, "should be gzip"},
		"half of a gzip":          {otlp.HTTP, sends("/v1/logs", protobuf, "GZIP", []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"), 400), otlp.Malformed, "ended early"},
		"malformed protobuf":      {otlp.HTTP, sends("/v1/traces", protobuf, "", []byte("\x0a\xff"), 400), otlp.Malformed, "not OTLP as application/x-protobuf"},
		"malformed JSON":          {otlp.HTTP, sends("/v1/metrics", "application/json", "", []byte(`{"resourceMetrics":[`), 400), otlp.Malformed, "not OTLP as application/json"},
		"too large":               {otlp.HTTP, sends("/v1/traces", protobuf, "", large, 413), otlp.TooLarge, "accepts 20971520 bytes by default"},
		"too large when unzipped": {otlp.HTTP, sends("/v1/traces", protobuf, "gzip", large, 413), otlp.TooLarge, "20971520"},
		"gRPC to HTTP":            {otlp.HTTP, calls(export, nil), otlp.WrongProtocol, "accepts OTLP over HTTP only. For gRPC, use port 1"},
		"HTTP to gRPC":            {otlp.GRPC, sends("/v1/traces", protobuf, "", nil, 400), otlp.WrongProtocol, "accepts OTLP over gRPC only. For HTTP, use port 1"},
		"TLS to gRPC":             {otlp.GRPC, handshake, otlp.WrongProtocol, "a TLS handshake came to the gRPC port"},
		"TLS to HTTP":             {otlp.HTTP, handshake, otlp.WrongProtocol, "a TLS handshake came to the HTTP port"},
		"TLS to either":           {otlp.Either, handshake, otlp.WrongProtocol, "Want http://127.0.0.1:"},
		"gRPC: malformed":         {otlp.GRPC, calls(export, []byte("\x0a\xff")), otlp.Malformed, "TraceService/Export is not OTLP"},
		"gRPC: too large":         {otlp.GRPC, calls(export, make([]byte, 5<<20)), otlp.TooLarge, "4194304 bytes by default"},
		"gRPC: other service":     {otlp.Either, calls("/jaeger.api_v2.CollectorService/PostSpans", nil), otlp.WrongPath, "jaeger.api_v2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, got := listen(t, test.protocol)
			test.send(t, server)
			refused := got.wait(t)
			if len(refused) != 1 || refused[0].Reason != test.reason || !strings.Contains(refused[0].Detail, test.detail) {
				t.Errorf("refused %+v\nwant %s: %s", refused, test.reason, test.detail)
			}
		})
	}
}

// raw sends bytes as they are.
type raw struct{}

func (raw) Marshal(v any) ([]byte, error) {
	body, _ := v.([]byte)
	return body, nil
}

func (raw) Unmarshal([]byte, any) error { return nil }

func (raw) Name() string { return "proto" }

// TestProbes wants no refusal for what is no telemetry.
func TestProbes(t *testing.T) {
	for _, protocol := range []otlp.Protocol{otlp.HTTP, otlp.Either} {
		server, got := listen(t, protocol)
		response, err := http.Get("http://" + server.Address() + "/")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		connection, err := net.Dial("tcp", server.Address())
		if err != nil {
			t.Fatal(err)
		}
		connection.Close()
		server.Close()
		if response.StatusCode != http.StatusMethodNotAllowed || got.refused != nil {
			t.Errorf("%s, refused %v", response.Status, got.refused)
		}
	}
}

func TestRead(t *testing.T) {
	lines := make([]string, 3)
	for i, request := range []interface{ MarshalJSON() ([]byte, error) }{
		ptraceotlp.NewExportRequestFromTraces(traces()), pmetricotlp.NewExportRequestFromMetrics(metrics()), plogotlp.NewExportRequestFromLogs(logs()),
	} {
		line, err := request.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		lines[i] = string(line)
	}
	whole := strings.Join(lines, "\n")
	for name, test := range map[string]struct {
		text    string
		spans   int
		refused int
		want    string // in the error
	}{
		"three signals":    {whole + "\n", 1, 0, ""},
		"no last newline":  {whole, 1, 0, ""},
		"spaces":           {"\n { " + lines[0][1:] + "\r\n\n", 1, 0, ""},
		"nothing":          {"", 0, 0, ""},
		"being written":    {whole + "\n" + lines[0][:20], 1, 0, ""},
		"cut off":          {lines[0][:20], 0, 1, "no line is telemetry"},
		"cut off before":   {lines[0][:20] + "\n" + whole, 1, 1, ""},
		"indented":         {indented(t, lines[0]) + "\n" + indented(t, lines[1]), 1, 0, ""},
		"indented, cut":    {indented(t, lines[0]) + "\n" + indented(t, lines[1])[:20], 1, 0, "reading message 2"},
		"indented rubbish": {"{\n  \"a\": [\n", 0, 0, "no line is telemetry"},
		"without end":      {strings.Repeat("x\n", 20_000) + whole, 0, 10_000, "no line is telemetry"},
		"something else":   {"hello\n{}\n[1]\n", 0, 3, "no line is telemetry"},
		"zstd":             {"\x28\xb5\x2f\xfd....", 0, 0, "zstd"},
		"null":             {whole + "\nnull", 1, 1, ""},
		"unknown fields":   {`{"resourceSpans":[{"scopeSpans":[{"spans":[{"new":1}]}]}],"more":{}}`, 1, 0, ""},
		"wrong type":       {whole + "\n" + `{"resourceSpans":"x"}`, 1, 1, ""},
		"half of a gzip":   {"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", 0, 0, "unexpected EOF"},
		"begins like gzip": {"\x1f\x8b", 0, 0, "decompressing"},
	} {
		t.Run(name, func(t *testing.T) {
			got := new(sink)
			err := otlp.Read(strings.NewReader(test.text), got)
			if got.spans != test.spans || len(got.refused) != test.refused {
				t.Errorf("%+v", got)
			}
			if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
	for name, cut := range map[string]int{"gzip": 0, "gzip that is being written": 8} {
		t.Run(name, func(t *testing.T) {
			var zipped bytes.Buffer
			w := gzip.NewWriter(&zipped)
			io.WriteString(w, whole+"\n")
			w.Close()
			zipped.Truncate(zipped.Len() - cut)
			got := new(sink)
			if err := otlp.Read(&zipped, got); err != nil || got.spans != 1 || got.points != 1 || got.lines != 1 {
				t.Errorf("%+v, error %v", got, err)
			}
		})
	}
}

func indented(t *testing.T, message string) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(message), "", "  "); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestReadEndless wants a line without an end to be refused, and not kept.
func TestReadEndless(t *testing.T) {
	got := new(sink)
	text := io.MultiReader(io.LimitReader(endless{}, 70<<20), strings.NewReader("\n"+`{"resourceSpans":[]}`))
	if err := otlp.Read(text, got); err != nil || len(got.refused) != 1 || got.refused[0].Reason != otlp.TooLarge {
		t.Errorf("%+v, error %v", got, err)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}
