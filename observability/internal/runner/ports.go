package runner

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"example.com/dice/observability/internal/compose"
)

// checkPorts checks before the long build that all ports are free.
func checkPorts(ctx context.Context, stage *compose.Stage) error {
	ports := []compose.Port{stage.OTLPGRPC, stage.OTLPHTTP}
	for _, service := range stage.Services {
		if service.Port.Number != "" {
			ports = append(ports, service.Port)
		}
	}
	users := make(map[string]compose.Port)
	for _, port := range ports {
		if other, taken := users[port.Number]; taken {
			return fmt.Errorf("port %s is for both %s and %s: set %s or %s to another port", port.Number, other.User, port.User, other.Variable, port.Variable)
		}
		users[port.Number] = port
		if err := checkPort(ctx, port); err != nil {
			return err
		}
	}
	return nil
}

// checkPort checks that a port is free.
func checkPort(ctx context.Context, port compose.Port) error { return explain(port, listen(ctx, port)) }

// explain adds to the system's reason which port cannot be used, and what to do.
func explain(port compose.Port, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %s of %s is in use: stop the program that uses it, or set %s to another port", port.Number, port.User, port.Variable)
	}
	if reason, ok := errors.AsType[syscall.Errno](err); ok {
		err = reason
	}
	return fmt.Errorf("port %s of %s: %w: set %s to another port", port.Number, port.User, err, port.Variable)
}

// listen listens on a port for a moment. The port also counts as in use if localhost leads to another program: to one that listens on IPv6
// only, or on systems where two programs can listen on the same port of different addresses.
func listen(ctx context.Context, port compose.Port) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", port.Address())
	if err != nil {
		return err
	}
	if err := listener.Close(); err != nil {
		return err
	}
	for _, address := range []string{"127.0.0.1", "::1"} {
		connection, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", net.JoinHostPort(address, port.Number))
		if err == nil {
			connection.Close()
			return syscall.EADDRINUSE
		}
	}
	return nil
}
