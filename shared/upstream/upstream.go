// Package upstream calls other services, and translates failed calls into responses for the caller.
package upstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"example.com/dice/shared/httpjson"
)

// Unreachable reports whether no connection was established, so that the other service cannot have seen the request.
func Unreachable(err error) bool {
	operation, ok := errors.AsType[*net.OpError](err)
	return ok && operation.Op == "dial"
}

// Explain returns the status that RFC 9110 defines for a failed call to the named service, and a message for
// people: 503 if the service could not be reached, 504 if it took too long, and 502 if its response was incomplete
// or invalid. The statuses 503 and 504 are passed on. If the caller disconnected, the status is 499.
func Explain(service string, err error) (status int, sentence string) {
	network, _ := errors.AsType[net.Error](err)
	reply, _ := errors.AsType[StatusError](err)
	switch {
	case errors.Is(err, context.Canceled):
		return httpjson.StatusClientClosedRequest, "canceled by the caller"
	case Unreachable(err):
		return http.StatusServiceUnavailable, fmt.Sprintf("the %s service cannot be reached; try again later", service)
	case network != nil && network.Timeout():
		return http.StatusGatewayTimeout, fmt.Sprintf("the %s service took too long; try again later", service)
	case reply.Status == http.StatusServiceUnavailable, reply.Status == http.StatusGatewayTimeout:
		return reply.Status, fmt.Sprintf("the %s service is not available; try again later", service)
	default:
		return http.StatusBadGateway, fmt.Sprintf("the %s service sent an invalid response", service)
	}
}
