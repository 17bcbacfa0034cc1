package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"

	"example.com/dice/observability/internal/otlp"
)

// receivers are the servers that receive telemetry.
type receivers struct{ servers []*otlp.Server }

func (r receivers) close() {
	for _, server := range r.servers {
		server.Close()
	}
}

// usual are the ports of a collector, and the variables that move them.
var usual = []struct {
	protocol       otlp.Protocol
	name           string
	port, variable string
}{
	{otlp.GRPC, "OTLP over gRPC", "4317", "OTLP_GRPC_PORT"},
	{otlp.HTTP, "OTLP over HTTP", "4318", "OTLP_HTTP_PORT"},
}

func portOf(i int) string {
	if port := os.Getenv(usual[i].variable); port != "" {
		return port
	}
	return usual[i].port
}

// receive listens on the ports of a collector.
func receive(ctx context.Context, sink otlp.Sink) (receivers, error) {
	var r receivers
	for i, want := range usual {
		server, err := listenOn(ctx, i, sink)
		if err != nil {
			r.close()
			if errors.Is(err, syscall.EADDRINUSE) {
				err = fmt.Errorf("port %s (%s) is in use: stop the program that uses it, or set %s to another port", portOf(i), want.name, want.variable)
			}
			return receivers{}, err
		}
		r.servers = append(r.servers, server)
	}
	return r, nil
}

func listenOn(ctx context.Context, i int, sink otlp.Sink) (*otlp.Server, error) {
	port := portOf(i)
	if number, err := strconv.ParseUint(port, 10, 16); err != nil {
		return nil, fmt.Errorf("%s=%q: want the number of a port, from 0 to 65535", usual[i].variable, port)
	} else if number == 0 {
		port = "0"
	}
	other := fmt.Sprintf("port %s, %s", portOf(1-i), usual[1-i].name)
	return otlp.Listen(ctx, net.JoinHostPort("127.0.0.1", port), usual[i].protocol, other, sink)
}
