package httptelemetry

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/riandyrn/otelchi"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"example.com/dice/shared/httpjson"
)

// TestLibraries says what two middlewares emit on their own, for a panic in the route /users/{id} and an unknown path. The README of
// stage 1 compares them. When a new version does better, this package can get smaller.
func TestLibraries(t *testing.T) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	spans, reader := tracetest.NewSpanRecorder(), sdkmetric.NewManualReader()
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))

	panicking, unknown := requestWith(spans, func(r chi.Routes) func(http.Handler) http.Handler {
		return otelchi.Middleware("", otelchi.WithChiRoutes(r), otelchi.WithRequestMethodInSpanName(true), otelchi.WithTracerProvider(tracers))
	})
	wantSpan(t, panicking, "GET /users/{id}", []attribute.Key{"http.route", "http.status_code", "enduser.id"}, []attribute.Key{"error.type", "url.query"})
	wantSpan(t, unknown, "GET /", []attribute.Key{"http.status_code"}, nil) // like the root's

	panicking, unknown = requestWith(spans, func(chi.Routes) func(http.Handler) http.Handler {
		return otelhttp.NewMiddleware("", otelhttp.WithTracerProvider(tracers), otelhttp.WithMeterProvider(meters))
	})
	wantSpan(t, panicking, "GET /users/{id}", []attribute.Key{"http.response.status_code"}, []attribute.Key{"http.route", "error.type", "url.query", "enduser.id"})
	wantSpan(t, unknown, "GET", []attribute.Key{"http.response.status_code"}, nil)

	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	var got []string // of otelhttp; otelchi records no durations
	for _, m := range data.ScopeMetrics[0].Metrics {
		if durations, ok := m.Data.(metricdata.Histogram[float64]); ok {
			for _, point := range durations.DataPoints {
				route, _ := point.Attributes.Value("http.route")
				_, typed := point.Attributes.Value("error.type")
				if typed {
					t.Error("otelhttp's metric has error.type now")
				}
				got = append(got, m.Name+" "+route.AsString())
			}
		}
	}
	slices.Sort(got)
	if want := []string{"http.server.request.duration ", "http.server.request.duration /users/{id}"}; !slices.Equal(got, want) {
		t.Errorf("otelhttp records %q, want %q", got, want)
	}
}

// requestWith returns the spans of two requests, to a route whose handler panics and to an unknown path.
func requestWith(spans *tracetest.SpanRecorder, middleware func(chi.Routes) func(http.Handler) http.Handler) (panicking, unknown sdktrace.ReadOnlySpan) {
	r := chi.NewRouter()
	r.Use(middleware(r), httpjson.Recoverer)
	r.Get("/users/{id}", func(http.ResponseWriter, *http.Request) { panic("it broke") })
	request := httptest.NewRequest(http.MethodGet, "/users/7?token=secret", nil)
	request.SetBasicAuth("Ada", "secret")
	r.ServeHTTP(httptest.NewRecorder(), request)
	r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/nowhere", nil))
	last := spans.Ended()[len(spans.Ended())-2:]
	return last[0], last[1]
}

func wantSpan(t *testing.T, span sdktrace.ReadOnlySpan, name string, has, lacks []attribute.Key) {
	t.Helper()
	if isPanic := name == "GET /users/{id}"; span.Name() != name || (span.Status().Code == codes.Error) != isPanic {
		t.Errorf("span %q, %v; want %q", span.Name(), span.Status(), name)
	}
	set := attribute.NewSet(span.Attributes()...)
	for _, key := range has {
		if !set.HasValue(key) {
			t.Errorf("%s lacks %s: %v", name, key, span.Attributes())
		}
	}
	for _, key := range lacks {
		if set.HasValue(key) {
			t.Errorf("%s has %s: %v", name, key, span.Attributes())
		}
	}
}
