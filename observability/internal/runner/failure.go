package runner

import (
	"errors"
	"fmt"
	"strings"

	"example.com/dice/observability/internal/process"
)

// ServiceError is an error in the code of a service: it does not compile, exits, or does not become ready. All other errors of this package
// are failures of the environment, such as a port in use, a full disk, or a module that cannot be downloaded.
type ServiceError struct {
	Service string
	Err     error
}

func (e *ServiceError) Error() string { return e.Err.Error() }

// Unwrap returns the error without the service.
func (e *ServiceError) Unwrap() error { return e.Err }

// ByService returns the errors in the code of services that err is made of, by the services' names. It is empty if only the environment
// has failed.
func ByService(err error) map[string]error {
	found := make(map[string]error)
	collect(err, found)
	return found
}

func collect(err error, found map[string]error) {
	switch e := err.(type) { //nolint:errorlint // this walks the tree itself
	case *ServiceError:
		found[e.Service] = errors.Join(found[e.Service], e.Err)
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			collect(err, found)
		}
	case interface{ Unwrap() error }:
		collect(e.Unwrap(), found)
	}
}

// blame returns an error of a service's process as a [ServiceError], unless the environment has failed.
func blame(service string, err error) error {
	if _, environment := errors.AsType[process.EnvironmentError](err); err == nil || environment {
		if err != nil && strings.Contains(err.Error(), "permission denied") {
			err = fmt.Errorf("%w: set GOTMPDIR to a directory in which programs may be executed", err)
		}
		return err
	}
	return &ServiceError{service, err}
}
