package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/riandyrn/otelchi"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// TestPublicEndpoint wants otelchi's option for the edge of a system to start a trace that the caller can neither continue nor hide, with
// a link to the caller's span. Baggage still gets through.
func TestPublicEndpoint(t *testing.T) {
	const trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	for _, sampled := range []string{"00", "01"} {
		spans := tracetest.NewSpanRecorder()
		r := chi.NewRouter()
		r.Use(otelchi.Middleware("", otelchi.WithPublicEndpoint(),
			otelchi.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))),
			otelchi.WithPropagators(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))))
		user := ""
		r.Get("/", func(_ http.ResponseWriter, r *http.Request) {
			user = baggage.FromContext(r.Context()).Member("user").Value()
		})
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		request.Header = http.Header{"Traceparent": {"00-" + trace + "-" + span + "-" + sampled}, "Baggage": {"user=Ada"}}
		r.ServeHTTP(httptest.NewRecorder(), request)

		ended := spans.Ended()
		if len(ended) != 1 {
			t.Fatalf("sampled %s: %d spans, want 1", sampled, len(ended))
		}
		server := ended[0]
		if server.Parent().IsValid() || server.SpanContext().TraceID().String() == trace {
			t.Errorf("sampled %s: the span continues the caller's trace", sampled)
		}
		if links := server.Links(); len(links) != 1 || links[0].SpanContext.TraceID().String() != trace || links[0].SpanContext.SpanID().String() != span {
			t.Errorf("sampled %s: links %v, want one to the caller's span", sampled, links)
		}
		if user != "Ada" {
			t.Errorf("sampled %s: baggage %q", sampled, user)
		}
	}
}
