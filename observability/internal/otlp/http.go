package otlp

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc/codes"
)

// maxHTTP is the largest body in bytes, decompressed, that a collector accepts over HTTP by default.
const maxHTTP = 20 << 20

const (
	protobufType = "application/x-protobuf"
	jsonType     = "application/json"
)

func (s *Server) newHTTP() *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler: s, Protocols: protocols, ReadHeaderTimeout: firstBytes, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		ErrorLog: log.New(io.Discard, "", 0),
	}
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc"):
		s.isGRPC(w, r)
	case s.protocol == GRPC:
		s.refuse(w, http.StatusBadRequest, refuse(WrongProtocol, "%s %s came over HTTP to %s, which accepts OTLP over gRPC only. For HTTP, use %s",
			r.Method, r.URL.Path, s.here(), s.other))
	case r.Method == http.MethodGet || r.Method == http.MethodHead: // a browser or a health check
		http.Error(w, "OTLP is sent by POST to /v1/traces, /v1/metrics and /v1/logs", http.StatusMethodNotAllowed)
	default:
		s.export(w, r)
	}
}

// isGRPC answers a call of gRPC in its own form, so that the client logs the reason.
func (s *Server) isGRPC(w http.ResponseWriter, r *http.Request) {
	refusal := refuse(WrongProtocol, "the gRPC call %s came to %s, which accepts OTLP over HTTP only. For gRPC, use %s", r.URL.Path, s.here(), s.other)
	s.sink.Refused(refusal)
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Grpc-Status", strconv.Itoa(int(codes.Unimplemented)))
	w.Header().Set("Grpc-Message", refusal.Detail)
}

func (s *Server) refuse(w http.ResponseWriter, status int, refusal Refusal) {
	s.sink.Refused(refusal)
	http.Error(w, refusal.Detail, status)
}

// export takes one message of OTLP over HTTP.
func (s *Server) export(w http.ResponseWriter, r *http.Request) {
	handle := s.handler(r.URL.Path)
	if handle == nil {
		s.refuse(w, http.StatusNotFound, refuse(WrongPath, "%s %s: there is no such path. %s", r.Method, r.URL.Path, rightPath(r.URL.Path)))
		return
	}
	contentType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || (contentType != protobufType && contentType != jsonType) {
		s.refuse(w, http.StatusUnsupportedMediaType, refuse(WrongEncoding, "%s %s has the content type %q. Want %s or %s",
			r.Method, r.URL.Path, r.Header.Get("Content-Type"), protobufType, jsonType))
		return
	}
	s.decode(func() {
		body, status, refusal := readBody(w, r)
		if status == 0 {
			var response []byte
			if response, err = handle(body, contentType == jsonType); err == nil {
				w.Header().Set("Content-Type", contentType)
				_, _ = w.Write(response)
				return
			}
			status, refusal = http.StatusBadRequest, refuse(Malformed, "the body of %s %s is not OTLP as %s: %v", r.Method, r.URL.Path, contentType, err)
		}
		s.refuse(w, status, refusal)
	})
}

// readBody returns a body decompressed, or the status and the reason of a refusal.
func readBody(w http.ResponseWriter, r *http.Request) (body []byte, status int, _ Refusal) {
	reader := io.Reader(http.MaxBytesReader(w, r.Body, maxHTTP))
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
	case "gzip":
		unzipped, err := gzip.NewReader(reader)
		if err != nil {
			return nil, http.StatusBadRequest, refuse(Malformed, "the body of %s %s should be gzip: %v", r.Method, r.URL.Path, err)
		}
		reader = unzipped
	default:
		return nil, http.StatusUnsupportedMediaType, refuse(WrongEncoding, "%s %s is compressed by %q, which is not supported here. Want gzip or none",
			r.Method, r.URL.Path, encoding)
	}
	body, err := io.ReadAll(io.LimitReader(reader, maxHTTP+1))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) || len(body) > maxHTTP {
		return nil, http.StatusRequestEntityTooLarge, refuse(TooLarge, "the body of %s %s is too large. A collector accepts %d bytes by default",
			r.Method, r.URL.Path, maxHTTP)
	}
	if err != nil {
		return nil, http.StatusBadRequest, refuse(Malformed, "the body of %s %s ended early: %v", r.Method, r.URL.Path, err)
	}
	return body, 0, Refusal{}
}

// handler returns the function that decodes the messages of a path, passes them on and returns the response's body.
func (s *Server) handler(path string) func(body []byte, asJSON bool) ([]byte, error) {
	switch path {
	case "/v1/traces":
		return func(body []byte, asJSON bool) ([]byte, error) {
			request, response := ptraceotlp.NewExportRequest(), ptraceotlp.NewExportResponse()
			if err := unmarshal(request, body, asJSON); err != nil {
				return nil, err
			}
			s.sink.Traces(request.Traces(), len(body))
			return marshal(response, asJSON)
		}
	case "/v1/metrics":
		return func(body []byte, asJSON bool) ([]byte, error) {
			request, response := pmetricotlp.NewExportRequest(), pmetricotlp.NewExportResponse()
			if err := unmarshal(request, body, asJSON); err != nil {
				return nil, err
			}
			s.sink.Metrics(request.Metrics(), len(body))
			return marshal(response, asJSON)
		}
	case "/v1/logs":
		return func(body []byte, asJSON bool) ([]byte, error) {
			request, response := plogotlp.NewExportRequest(), plogotlp.NewExportResponse()
			if err := unmarshal(request, body, asJSON); err != nil {
				return nil, err
			}
			s.sink.Logs(request.Logs(), len(body))
			return marshal(response, asJSON)
		}
	}
	return nil
}

// unmarshal decodes a message. A decoder that panics must not end the program.
func unmarshal(request interface {
	UnmarshalProto([]byte) error
	UnmarshalJSON([]byte) error
}, body []byte, asJSON bool) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("decoding: %v", cause)
		}
	}()
	if asJSON {
		return request.UnmarshalJSON(body)
	}
	return request.UnmarshalProto(body)
}

func marshal(response interface {
	MarshalProto() ([]byte, error)
	MarshalJSON() ([]byte, error)
}, asJSON bool) ([]byte, error) {
	if asJSON {
		return response.MarshalJSON()
	}
	return response.MarshalProto()
}

// rightPath says which path belongs in place of a wrong one, and the probable cause.
func rightPath(path string) string {
	signal := ""
	for _, name := range []string{"traces", "metrics", "logs"} {
		if strings.Contains(path, name[:len(name)-1]) {
			signal = name
		}
	}
	switch {
	case signal != "" && strings.Count(path, "/v1/") > 1:
		return "Want /v1/" + signal + ": OTEL_EXPORTER_OTLP_ENDPOINT must not include a path, because the exporter adds it"
	case path == "/" || path == "":
		return "Want /v1/traces, /v1/metrics or /v1/logs: an endpoint for one signal, as in OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, is used as it is " +
			"and must include the path"
	case strings.HasPrefix(path, "/api/v2/spans") || strings.HasPrefix(path, "/api/traces"):
		return "It belongs to Zipkin or Jaeger. Use an exporter for OTLP"
	case strings.HasPrefix(path, "/api/v1/write"):
		return "It belongs to Prometheus remote write. Use an exporter for OTLP"
	case signal != "":
		return "Want /v1/" + signal
	default:
		return "Want /v1/traces, /v1/metrics or /v1/logs"
	}
}
