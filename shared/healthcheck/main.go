// Command healthcheck checks whether the service in its own container is ready. It is for images without a shell.
// It reads the service's ADDR, and exits with status 1 unless GET /healthz returns 200 within 2 seconds.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"example.com/dice/shared/env"
)

const timeout = 2 * time.Second

func main() {
	var vars env.Reader
	addr := vars.Addr("ADDR", ":8080")
	err := vars.Err()
	if err == nil {
		err = check(addr)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "healthcheck:", err)
		os.Exit(1)
	}
}

// check asks the service that listens on addr. Without a host, or with 0.0.0.0 or [::], that is one of this system's own
// addresses; see [net.Dial]. A proxy is never used, because it would be asked for its own address.
func check(addr string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/healthz", nil)
	if err != nil {
		return err
	}
	request.URL.Host = addr
	response, err := new(http.Transport).RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("not healthy: %s", response.Status)
	}
	return nil
}
