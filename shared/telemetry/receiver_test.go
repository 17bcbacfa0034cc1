package telemetry_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

// receiver stands for a collector: it keeps what it is sent by OTLP over gRPC.
type receiver struct {
	coltrace.UnimplementedTraceServiceServer

	mu         sync.Mutex
	refuse     func(metadata.MD) error
	headers    metadata.MD
	requests   []proto.Message
	spans      []string
	attributes []*commonpb.KeyValue // of the spans
	metrics    []string
	records    []*logspb.LogRecord
	logCalls   int
	resources  []*resourcepb.Resource
}

// arrived returns all that has arrived, as text with single spaces, and forgets it.
func (r *receiver) arrived() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all strings.Builder
	for _, request := range r.requests {
		fmt.Fprintln(&all, prototext.MarshalOptions{}.Format(request))
	}
	r.requests, r.spans, r.attributes, r.metrics, r.records, r.resources, r.logCalls = nil, nil, nil, nil, nil, nil, 0
	return strings.Join(strings.Fields(all.String()), " ")
}

func (r *receiver) keep(ctx context.Context, request proto.Message) error {
	r.headers, _ = metadata.FromIncomingContext(ctx)
	if r.refuse != nil {
		return r.refuse(r.headers)
	}
	r.requests = append(r.requests, request)
	return nil
}

type (
	metricsService struct {
		colmetrics.UnimplementedMetricsServiceServer
		*receiver
	}
	logsService struct {
		collogs.UnimplementedLogsServiceServer
		*receiver
	}
)

// startReceiver returns a receiver and its URL.
func startReceiver(t *testing.T, options ...grpc.ServerOption) (*receiver, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{}
	server := grpc.NewServer(options...)
	coltrace.RegisterTraceServiceServer(server, r)
	colmetrics.RegisterMetricsServiceServer(server, metricsService{receiver: r})
	collogs.RegisterLogsServiceServer(server, logsService{receiver: r})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return r, "http://" + listener.Addr().String()
}

func (r *receiver) Export(ctx context.Context, request *coltrace.ExportTraceServiceRequest) (*coltrace.ExportTraceServiceResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.keep(ctx, request); err != nil {
		return nil, err
	}
	for _, resource := range request.GetResourceSpans() {
		r.resources = append(r.resources, resource.GetResource())
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				r.spans = append(r.spans, span.GetName())
				r.attributes = append(r.attributes, span.GetAttributes()...)
			}
		}
	}
	return &coltrace.ExportTraceServiceResponse{}, nil
}

func (s metricsService) Export(ctx context.Context, request *colmetrics.ExportMetricsServiceRequest) (*colmetrics.ExportMetricsServiceResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.keep(ctx, request); err != nil {
		return nil, err
	}
	for _, resource := range request.GetResourceMetrics() {
		for _, scope := range resource.GetScopeMetrics() {
			for _, metric := range scope.GetMetrics() {
				s.metrics = append(s.metrics, metric.GetName())
			}
		}
	}
	return &colmetrics.ExportMetricsServiceResponse{}, nil
}

func (s logsService) Export(ctx context.Context, request *collogs.ExportLogsServiceRequest) (*collogs.ExportLogsServiceResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logCalls++
	if err := s.keep(ctx, request); err != nil {
		return nil, err
	}
	for _, resource := range request.GetResourceLogs() {
		for _, scope := range resource.GetScopeLogs() {
			s.records = append(s.records, scope.GetLogRecords()...)
		}
	}
	return &collogs.ExportLogsServiceResponse{}, nil
}

// attribute returns the value of a resource attribute of the first batch of spans.
func (r *receiver) attribute(key string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, attribute := range r.resources[0].GetAttributes() {
		if attribute.GetKey() == key {
			return attribute.GetValue().GetStringValue()
		}
	}
	return ""
}

// signals says which signals have arrived, in the order traces, metrics, logs.
func (r *receiver) signals() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var got []string
	if slices.Contains(r.spans, "work") {
		got = append(got, "traces")
	}
	if slices.Contains(r.metrics, "work.done") {
		got = append(got, "metrics")
	}
	if len(r.records) > 0 {
		got = append(got, "logs")
	}
	return got
}
