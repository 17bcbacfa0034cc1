package telemetry_test

import (
	"context"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"example.com/dice/shared/telemetry"
)

// A service without chi. Ctrl-C stops the server, and only then is the telemetry flushed.
func Example() {
	flush, err := telemetry.Start(context.Background(), "mine", os.Stdout)
	if err != nil {
		log.Fatal(err)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	server := &http.Server{Addr: "localhost:8090", Handler: otelhttp.NewHandler(http.DefaultServeMux, "server")}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err = <-failed: // the port is in use, for example
	case <-ctx.Done():
		stop()
		err = server.Shutdown(context.WithoutCancel(ctx)) // lets requests finish
	}
	if err := flush(ctx, err); err != nil {
		log.Fatal(err)
	}
}
