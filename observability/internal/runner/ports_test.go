package runner

import (
	"context"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/freeport"
)

// hold listens on a free port of an address, and returns the port.
func hold(t *testing.T, address string) string {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Skipf("no %s here: %v", address, err)
	}
	t.Cleanup(func() { listener.Close() })
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

func TestCheckPorts(t *testing.T) {
	free := func() string {
		_, port, _ := strings.Cut(freeport.Variables()[0], "=")
		return port
	}
	one := free()
	taken, ipv6, everywhere := hold(t, "127.0.0.1"), hold(t, "::1"), hold(t, "::")
	inUse := func(port, user, variable string) string {
		return "port " + port + " of " + user + " is in use: stop the program that uses it, or set " + variable + " to another port"
	}
	tests := []struct{ name, grpc, http, roll, want string }{
		{"all free", free(), free(), free(), ""},
		{"gRPC", taken, free(), free(), inUse(taken, "the collector (OTLP over gRPC)", "OTLP_GRPC_PORT")},
		{"HTTP", free(), taken, free(), inUse(taken, "the collector (OTLP over HTTP)", "OTLP_HTTP_PORT")},
		{"service", free(), free(), taken, inUse(taken, "roll", "ROLL_PORT")},
		{"IPv6 only", free(), free(), ipv6, inUse(ipv6, "roll", "ROLL_PORT")},
		{"all addresses", free(), free(), everywhere, inUse(everywhere, "roll", "ROLL_PORT")},
		{"twice", one, free(), one, "port " + one + " is for both the collector (OTLP over gRPC) and roll: set OTLP_GRPC_PORT or ROLL_PORT to another port"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			stage := &compose.Stage{
				OTLPGRPC: compose.Port{Number: test.grpc, Variable: "OTLP_GRPC_PORT", User: "the collector (OTLP over gRPC)"},
				OTLPHTTP: compose.Port{Number: test.http, Variable: "OTLP_HTTP_PORT", User: "the collector (OTLP over HTTP)"},
				Services: []compose.Service{
					{Name: "traffic"}, {Name: "roll", Port: compose.Port{Number: test.roll, Variable: "ROLL_PORT", User: "roll"}},
				},
			}
			if err := checkPorts(t.Context(), stage); err == nil && test.want != "" || err != nil && err.Error() != test.want {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

func TestExplainKeepsTheReason(t *testing.T) {
	port := compose.Port{Number: "80", Variable: "ROLL_PORT", User: "roll"}
	for cause, want := range map[error]string{
		&net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EACCES)}:        "port 80 of roll: permission denied: set ROLL_PORT to another port",
		&net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EADDRNOTAVAIL)}: "port 80 of roll: cannot assign requested address: set ROLL_PORT to another port",
		context.DeadlineExceeded: "port 80 of roll: context deadline exceeded: set ROLL_PORT to another port",
	} {
		if got := explain(port, cause); got == nil || got.Error() != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
}
