package stack

import (
	"cmp"
	"os"
	"testing"
	"time"
)

// Addresses of services. Ports can be moved with the variables that the compose files read too.
var (
	Frontend = "http://localhost:" + cmp.Or(os.Getenv("FRONTEND_PORT"), "8080")
	Roll     = "http://localhost:" + cmp.Or(os.Getenv("ROLL_PORT"), "8081")
)

// Engines are the services that keep the telemetry.
var Engines = []string{"prometheus", "loki", "tempo"}

// Disconnect cuts the engines off from the collector.
func Disconnect(t *testing.T, s *Stack) {
	t.Helper()
	for _, engine := range Engines {
		s.Docker(t, "network", "disconnect", s.Stage+"_default", s.Stage+"-"+engine+"-1")
	}
}

// Connect undoes [Disconnect].
func Connect(t *testing.T, s *Stack) {
	t.Helper()
	for _, engine := range Engines {
		s.Docker(t, "network", "connect", "--alias", engine, s.Stage+"_default", s.Stage+"-"+engine+"-1")
	}
}

// Bound limits polling. Anything that takes longer is broken, not slow.
const Bound = 2 * time.Minute

// Eventually polls check until it returns nil.
func Eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	if err := Poll(check); err != nil {
		t.Fatalf("%s: still after %s: %v", what, Bound, err)
	}
}

// Poll is like [Eventually], but returns the last error instead of failing the test.
func Poll(check func() error) error {
	for start := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		if err := check(); err == nil || time.Since(start) > Bound {
			return err
		}
	}
}
