package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// events is a service that copies baggage to its spans, adds events to them, and recovers from errors.
func events(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /cart", func(w http.ResponseWriter, r *http.Request) {
		ctx, span := tracer.Start(r.Context(), "load cart", trace.WithAttributes(
			attribute.String("acme.plan", baggage.FromContext(r.Context()).Member("plan").Value())))
		defer span.End()
		span.AddEvent("cache miss", trace.WithAttributes(attribute.String("acme.cache", "carts")))
		span.RecordError(errors.New("replica is behind, reading from the primary")) // and it goes on
		span.SetStatus(codes.Ok, "")
		slog.InfoContext(ctx, "cart loaded", "acme.items", 3)
		w.WriteHeader(http.StatusNoContent)
	})
	server := httptest.NewServer(otelhttp.NewHandler(mux, "events"))
	defer server.Close()
	client := &http.Client{Transport: otelhttp.NewTransport(http.DefaultTransport)}

	plan, err := baggage.NewMember("plan", "gold")
	if err != nil {
		return err
	}
	bag, err := baggage.New(plan)
	if err != nil {
		return err
	}
	for range 25 {
		ctx, span := tracer.Start(baggage.ContextWithBaggage(ctx, bag), "visit", trace.WithSpanKind(trace.SpanKindInternal))
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/cart", nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		response.Body.Close()
		span.End()
	}
	return nil
}
