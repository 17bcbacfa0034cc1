package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
)

const maxMessage = 64 << 20 // bytes

// Receiver takes telemetry as Tempo, Prometheus and Loki do, and puts it into a store.
type Receiver struct {
	Tempo      string // host:port, OTLP over gRPC
	Prometheus string // URL, OTLP over HTTP
	Loki       string // URL, OTLP over HTTP
	close      func()
}

// Receive starts a receiver on free ports of the loopback interface.
func (s *Store) Receive(ctx context.Context) (*Receiver, error) {
	traces, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for traces: %w", err)
	}
	rest, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listening for metrics and logs: %w", err), traces.Close())
	}

	tempo := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage))
	ptraceotlp.RegisterGRPCServer(tempo, &traceServer{store: s})
	go func() { _ = tempo.Serve(traces) }() // ends with Stop

	mux := http.NewServeMux()
	mux.HandleFunc("POST /prometheus/v1/metrics", s.receiveMetrics)
	mux.HandleFunc("POST /loki/v1/logs", s.receiveLogs)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(rest) }() // ends with Close

	url := "http://" + rest.Addr().String()
	return &Receiver{
		Tempo:      traces.Addr().String(),
		Prometheus: url + "/prometheus",
		Loki:       url + "/loki",
		close: func() {
			tempo.Stop()
			_ = server.Close()
		},
	}, nil
}

// Close stops receiving.
func (r *Receiver) Close() { r.close() }

type traceServer struct {
	ptraceotlp.UnimplementedGRPCServer
	store *Store
}

func (t *traceServer) Export(_ context.Context, request ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	t.store.addTraces(request.Traces())
	return ptraceotlp.NewExportResponse(), nil
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
		http.Error(w, "away", http.StatusServiceUnavailable)
	}
}

// decode reads a request's body. If it cannot, it replies with the reason.
func decode(w http.ResponseWriter, r *http.Request, unmarshal func([]byte) error) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	if err == nil {
		err = unmarshal(body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	w.Header().Set("Content-Type", "application/x-protobuf") // an empty message: everything was taken
	return true
}
