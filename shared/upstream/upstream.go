// Package upstream calls other services, and says what a failed call means for whoever waits for the reply.
package upstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"example.com/dice/shared/httpjson"
)

// Unreachable reports whether no connection came about, so that the other service cannot have seen the request.
func Unreachable(err error) bool {
	operation, ok := errors.AsType[*net.OpError](err)
	return ok && operation.Op == "dial"
}

// Explain returns the status that RFC 9110 has for a failed call to the named service, and a sentence for
// people: 503 if it could not be reached, 504 if it took too long, and 502 if its reply was cut off or made no
// sense. A reply of 503 or 504 is passed on. If the caller went away, the status is 499, which nobody reads.
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
		return http.StatusBadGateway, fmt.Sprintf("the %s service gave a reply that makes no sense", service)
	}
}
