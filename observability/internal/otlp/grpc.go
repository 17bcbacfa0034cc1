package otlp

import (
	"context"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // exporters may compress
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// maxGRPC is the largest message in bytes that a collector accepts over gRPC by default.
const maxGRPC = 4 << 20

func (s *Server) newGRPC() *grpc.Server {
	server := grpc.NewServer(
		grpc.MaxRecvMsgSize(maxGRPC),
		grpc.StatsHandler(observer{s}),
		grpc.UnknownServiceHandler(s.unknownService),
	)
	ptraceotlp.RegisterGRPCServer(server, &tracesService{s: s})
	pmetricotlp.RegisterGRPCServer(server, &metricsService{s: s})
	plogotlp.RegisterGRPCServer(server, &logsService{s: s})
	return server
}

type tracesService struct {
	ptraceotlp.UnimplementedGRPCServer
	s *Server
}

// Export implements [ptraceotlp.GRPCServer].
func (t *tracesService) Export(ctx context.Context, request ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	t.s.decode(func() { t.s.sink.Traces(request.Traces(), messageSize(ctx)) })
	return ptraceotlp.NewExportResponse(), nil
}

type metricsService struct {
	pmetricotlp.UnimplementedGRPCServer
	s *Server
}

// Export implements [pmetricotlp.GRPCServer].
func (m *metricsService) Export(ctx context.Context, request pmetricotlp.ExportRequest) (pmetricotlp.ExportResponse, error) {
	m.s.decode(func() { m.s.sink.Metrics(request.Metrics(), messageSize(ctx)) })
	return pmetricotlp.NewExportResponse(), nil
}

type logsService struct {
	plogotlp.UnimplementedGRPCServer
	s *Server
}

// Export implements [plogotlp.GRPCServer].
func (l *logsService) Export(ctx context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	l.s.decode(func() { l.s.sink.Logs(request.Logs(), messageSize(ctx)) })
	return plogotlp.NewExportResponse(), nil
}

// unknownService answers calls of other services than OTLP's three.
func (s *Server) unknownService(_ any, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream)
	s.sink.Refused(refuse(WrongPath, "the gRPC method %s was called, which is not one of OTLP for traces, metrics or logs", method))
	return status.Errorf(codes.Unimplemented, "unknown method %s", method)
}

// observer sees calls that fail before they reach a service: messages that are too large, malformed or compressed in an unknown
// way. It also notes the size of the others.
type observer struct{ s *Server }

type callKey struct{}

// call is what is known of a call in progress.
type call struct {
	method string
	size   int
}

// messageSize returns the size of the message that a call is about, in bytes.
func messageSize(ctx context.Context) int {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c.size
	}
	return 0
}

// TagRPC implements [stats.Handler].
func (o observer) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, callKey{}, &call{method: info.FullMethodName})
}

// HandleRPC implements [stats.Handler].
func (o observer) HandleRPC(ctx context.Context, event stats.RPCStats) {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return
	}
	switch e := event.(type) {
	case *stats.InPayload:
		c.size = e.Length
	case *stats.End:
		if e.Error != nil {
			o.failed(c.method, status.Convert(e.Error))
		}
	}
}

func (o observer) failed(method string, why *status.Status) {
	switch {
	case why.Code() == codes.ResourceExhausted:
		o.s.sink.Refused(refuse(TooLarge, "a message for %s was refused: %s. A collector accepts %d bytes by default", method, why.Message(), maxGRPC))
	case why.Code() == codes.Internal:
		o.s.sink.Refused(refuse(Malformed, "a message for %s is not OTLP: %s", method, why.Message()))
	case why.Code() == codes.Unimplemented && strings.Contains(why.Message(), "ecompressor"):
		o.s.sink.Refused(refuse(WrongEncoding, "a message for %s is compressed in a way that is not supported here: %s. Want gzip or none", method, why.Message()))
	}
}

// TagConn implements [stats.Handler].
func (o observer) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn implements [stats.Handler].
func (o observer) HandleConn(context.Context, stats.ConnStats) {}
