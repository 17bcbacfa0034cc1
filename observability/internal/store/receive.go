package store

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

const maxMessage = 64 << 20 // bytes

// Receiver receives telemetry as Tempo, Prometheus and Loki do, and puts it into a store.
type Receiver struct {
	Tempo, Prometheus, Loki string // URLs, OTLP over HTTP
	server                  *http.Server
}

// Receive starts a receiver on a free port of the loopback interface.
func (s *Store) Receive(ctx context.Context) (*Receiver, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for telemetry: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /tempo/v1/traces", s.receiveTraces)
	mux.HandleFunc("POST /prometheus/v1/metrics", s.receiveMetrics)
	mux.HandleFunc("POST /loki/v1/logs", s.receiveLogs)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }() // ends with Close

	url := "http://" + listener.Addr().String()
	return &Receiver{Tempo: url + "/tempo", Prometheus: url + "/prometheus", Loki: url + "/loki", server: server}, nil
}

// Close stops receiving.
func (r *Receiver) Close() { _ = r.server.Close() }

func (s *Store) receiveTraces(w http.ResponseWriter, r *http.Request) {
	request := ptraceotlp.NewExportRequest()
	if !decode(w, r, request.UnmarshalProto) {
		return
	}
	s.addTraces(request.Traces())
}

func (s *Store) receiveMetrics(w http.ResponseWriter, r *http.Request) {
	request := pmetricotlp.NewExportRequest()
	if !decode(w, r, request.UnmarshalProto) {
		return
	}
	s.addMetrics(request.Metrics())
}

func (s *Store) receiveLogs(w http.ResponseWriter, r *http.Request) {
	request := plogotlp.NewExportRequest()
	if !decode(w, r, request.UnmarshalProto) {
		return
	}
	if !s.addLogs(r.Header.Get("X-Scope-OrgID"), request.Logs()) {
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
	}
}

// decode reads a request's body. If it fails, it responds with the reason.
func decode(w http.ResponseWriter, r *http.Request, unmarshal func([]byte) error) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	if err == nil {
		err = unmarshal(body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	w.Header().Set("Content-Type", "application/x-protobuf") // an empty message: everything was accepted
	return true
}
