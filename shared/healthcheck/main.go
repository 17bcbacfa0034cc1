// Command healthcheck asks the service in its own container whether it is ready, for images without a shell.
// It reads the service's ADDR, and exits with 1 if GET /healthz is not answered by 200 within 2 seconds.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
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

// check speaks HTTP by hand, because net/http would add 3 MB to every image.
func check(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort("localhost", port))
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.0\r\n\r\n"); err != nil {
		return err
	}
	status, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(status, "HTTP/1.0 200 ") {
		return fmt.Errorf("not healthy: %s", strings.TrimSpace(status))
	}
	return nil
}
