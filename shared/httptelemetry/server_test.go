package httptelemetry_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/go-chi/chi/v5"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"example.com/dice/shared/httpjson"
	"example.com/dice/shared/httptelemetry"
)

func newRouter() http.Handler {
	r := chi.NewRouter()
	r.Use(httptelemetry.Server("die"))
	r.Use(httpjson.Recoverer)
	r.Get("/things/{id}", func(http.ResponseWriter, *http.Request) {})
	r.Get("/broken", func(http.ResponseWriter, *http.Request) { panic("it broke") })
	return r
}

// collect returns the one data point that the reader has of http.server.request.duration.
func collect(t *testing.T, reader sdkmetric.Reader) metricdata.HistogramDataPoint[float64] {
	t.Helper()
	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	metric := data.ScopeMetrics[0].Metrics[0]
	if metric.Name != "http.server.request.duration" || metric.Unit != "s" {
		t.Fatalf("metric %s in %s", metric.Name, metric.Unit)
	}
	points := metric.Data.(metricdata.Histogram[float64]).DataPoints
	if len(points) != 1 {
		t.Fatalf("%d data points, want 1", len(points))
	}
	return points[0]
}

// reader is set once: instruments keep to the first provider that there is. One request a collection: with delta
// temporality each test sees its own alone.
var reader = sdkmetric.NewManualReader(sdkmetric.WithTemporalitySelector(
	func(sdkmetric.InstrumentKind) metricdata.Temporality { return metricdata.DeltaTemporality }))

func init() { otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))) }

func TestServerMetric(t *testing.T) {
	tracer := sdktrace.NewTracerProvider().Tracer("test")

	tests := []struct {
		method, target string
		want           []attribute.KeyValue
	}{
		{http.MethodGet, "/things/7", []attribute.KeyValue{
			attribute.String("http.request.method", "GET"),
			attribute.String("http.route", "/things/{id}"),
			attribute.Int("http.response.status_code", 200),
		}},
		{http.MethodGet, "/broken", []attribute.KeyValue{
			attribute.String("http.request.method", "GET"),
			attribute.String("http.route", "/broken"),
			attribute.Int("http.response.status_code", 500),
			attribute.String("error.type", "500"),
		}},
		{http.MethodGet, "/unknown/7", []attribute.KeyValue{
			attribute.String("http.request.method", "GET"),
			attribute.Int("http.response.status_code", 404),
		}},
		{"INVENTED", "/things/7", []attribute.KeyValue{
			attribute.String("http.request.method", "_OTHER"),
			attribute.Int("http.response.status_code", 405),
		}},
	}
	router := newRouter()
	for _, test := range tests {
		t.Run(test.method+" "+test.target, func(t *testing.T) {
			ctx, span := tracer.Start(t.Context(), "request", trace.WithNewRoot())
			router.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, test.method, test.target, nil))

			point := collect(t, reader)
			want := attribute.NewSet(append(test.want, attribute.String("url.scheme", "http"), attribute.String("network.protocol.version", "1.1"))...)
			if !point.Attributes.Equals(&want) {
				t.Errorf("attributes %v\nwant %v", point.Attributes.Encoded(attribute.DefaultEncoder()), want.Encoded(attribute.DefaultEncoder()))
			}
			if point.Count != 1 || point.Sum <= 0 || point.Sum > 10 {
				t.Errorf("count %d, sum %v s", point.Count, point.Sum)
			}
			if bounds := []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}; !slices.Equal(point.Bounds, bounds) {
				t.Errorf("bounds %v, want those of the conventions, %v", point.Bounds, bounds)
			}
			id := span.SpanContext().TraceID()
			if len(point.Exemplars) != 1 || string(point.Exemplars[0].TraceID) != string(id[:]) {
				t.Errorf("exemplars %v, want one of trace %s", point.Exemplars, id)
			}
		})
	}
}

func TestServerSpan(t *testing.T) {
	common := []attribute.KeyValue{attribute.String("client.address", "192.0.2.1")} // of every request of httptest
	ok := attribute.Int("http.response.status_code", 200)
	tests := []struct {
		target string
		want   []attribute.KeyValue
	}{
		{"/things/7", []attribute.KeyValue{ok, attribute.String("url.path", "/things/7")}},
		{"/things/7?die=fair", []attribute.KeyValue{ok, attribute.String("url.path", "/things/7"), attribute.String("url.query", "die=fair")}},
		{"/things/7?die=fair&name=Ada&Ada", []attribute.KeyValue{
			ok, attribute.String("url.path", "/things/7"), attribute.String("url.query", "REDACTED=REDACTED&die=fair"),
		}},
		{"/things/7?name=%zz", []attribute.KeyValue{ok, attribute.String("url.path", "/things/7"), attribute.String("url.query", "REDACTED")}},
		{"/broken", []attribute.KeyValue{
			attribute.Int("http.response.status_code", 500), attribute.String("error.type", "500"), attribute.String("url.path", "/broken"),
		}},
	}
	router := newRouter()
	for _, test := range tests {
		t.Run(test.target, func(t *testing.T) {
			recorder := tracetest.NewSpanRecorder()
			tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)).Tracer("test")
			ctx, span := tracer.Start(t.Context(), "request")
			router.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, test.target, nil))
			span.End()

			got, want := attribute.NewSet(recorder.Ended()[0].Attributes()...), attribute.NewSet(append(test.want, common...)...)
			if !got.Equals(&want) {
				t.Errorf("attributes %v\nwant %v", got.Encoded(attribute.DefaultEncoder()), want.Encoded(attribute.DefaultEncoder()))
			}
		})
	}
}
