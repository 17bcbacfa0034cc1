// Command healthcheck checks whether the service in its own container is ready. It is for images without a shell.
// It reads the service's ADDR, and exits with status 1 unless GET /healthz returns 200 within 2 seconds.
package main

import (
	"context"
	"fmt"
	"net"
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

func check(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort("localhost", port)+"/healthz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("not healthy: %s", response.Status)
	}
	return nil
}
