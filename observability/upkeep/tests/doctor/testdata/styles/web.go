package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// web is a service with net/http and otelhttp, one handler for each route, that calls another one.
func web(ctx context.Context) error {
	placed, err := otel.Meter("github.com/acme/styles", metric.WithInstrumentationVersion("2.3.1")).
		Int64Counter("acme.orders.placed", metric.WithUnit("{order}"))
	if err != nil {
		return err
	}
	warehouse := http.NewServeMux()
	handle(warehouse, "GET /stock", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("item") == "7" {
			http.Error(w, "no stock", http.StatusServiceUnavailable)
		}
	})
	stock := httptest.NewServer(warehouse)
	defer stock.Close()
	client := &http.Client{Transport: otelhttp.NewTransport(http.DefaultTransport)}

	mux := http.NewServeMux()
	handle(mux, "POST /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		request, _ := http.NewRequestWithContext(ctx, http.MethodGet, stock.URL+"/stock?item="+r.PathValue("id"), nil)
		response, err := client.Do(request)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			slog.WarnContext(ctx, "out of stock", "order.id", r.PathValue("id"))
			http.Error(w, "out of stock", http.StatusBadGateway)
			return
		}
		placed.Add(ctx, 1, metric.WithAttributes(attribute.String("payment", "card")))
		slog.InfoContext(ctx, "order placed", "order.id", r.PathValue("id"))
		fmt.Fprintln(w, "ok")
	})
	handle(mux, "GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) })
	server := httptest.NewServer(mux)
	defer server.Close()

	for i := range 40 {
		response, err := http.Post(fmt.Sprintf("%s/orders/%d", server.URL, i), "text/plain", nil)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	for _, path := range []string{"/orders/1", "/favicon.ico", "/"} {
		response, err := http.Get(server.URL + path)
		if err != nil {
			return err
		}
		response.Body.Close()
	}
	return nil
}

func handle(mux *http.ServeMux, pattern string, handler http.HandlerFunc) {
	mux.Handle(pattern, otelhttp.NewHandler(handler, pattern))
}
