// Package freeport finds ports for stages that run at the same time, such as in tests.
package freeport

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
)

// Ports are below the range for outgoing connections, because a connection might take a port before the stage does.
// Each process starts at a different port.
const first, count = 10_000, 22_000

var next = func() *atomic.Uint32 {
	n := new(atomic.Uint32)
	n.Store(rand.Uint32N(count))
	return n
}()

// Variables returns the variables, each NAME=value, that give each service of a stage and its collector its own port.
func Variables() []string {
	var variables []string
	for _, name := range []string{"ROLL_PORT", "FRONTEND_PORT", "DIE_PORT", "OTLP_GRPC_PORT", "OTLP_HTTP_PORT"} {
		variables = append(variables, name+"="+find())
	}
	return variables
}

func find() string {
	for {
		port := strconv.Itoa(first + int(next.Add(1)%count))
		if listener, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil { // to see whether the port is free
			_ = listener.Close()
			return port
		}
	}
}
