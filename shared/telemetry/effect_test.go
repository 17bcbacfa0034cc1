package telemetry_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"example.com/dice/shared/telemetry"
)

// TestSettingsDoWhatIsAskedInAllTheirForms sets a variable as a careless person would, and looks for its effect.
func TestSettingsDoWhatIsAskedInAllTheirForms(t *testing.T) {
	received, url := startReceiver(t)
	tests := map[string]struct{ has, lacks []string }{ // in what arrives, as text
		"OTEL_SDK_DISABLED= True ":                                               {lacks: []string{"work"}},
		"OTEL_SDK_DISABLED= FALSE":                                               {has: []string{"work"}},
		"OTEL_SERVICE_NAME=\tshop ":                                              {has: []string{`"shop"`}, lacks: []string{`"tested"`}},
		"OTEL_RESOURCE_ATTRIBUTES= team = red%2Cblue , a=b, ":                    {has: []string{`key:"team" value:{string_value:"red,blue"}`, `key:"a" value:{string_value:"b"}`}},
		"OTEL_TRACES_SAMPLER= Always_Off ":                                       {has: []string{`"worked"`, `"work.done"`}, lacks: []string{"spans:{"}},
		"OTEL_TRACES_SAMPLER=parentbased_TraceIDRatio|OTEL_TRACES_SAMPLER_ARG=0": {lacks: []string{"spans:{"}},
		"OTEL_TRACES_EXPORTER= OTLP, ":                                           {has: []string{"spans:{"}},
		"OTEL_TRACES_EXPORTER= None ":                                            {has: []string{`"worked"`}, lacks: []string{"spans:{"}},
		"OTEL_METRICS_EXPORTER= None ":                                           {has: []string{`"worked"`}, lacks: []string{`"work.done"`}},
		"OTEL_LOGS_EXPORTER= None ":                                              {has: []string{"spans:{"}, lacks: []string{`"worked"`}},
		"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT= " + url + " ":                      {has: []string{`"work.done"`}},
		"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL= GRPC ":                              {has: []string{"spans:{"}},
		"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL= GRPC ":                             {has: []string{`"work.done"`}},
		"OTEL_EXPORTER_OTLP_COMPRESSION= GZIP ":                                  {has: []string{"spans:{", `"work.done"`, `"worked"`}},
		"OTEL_EXPORTER_OTLP_INSECURE=false":                                      {has: []string{"spans:{", `"work.done"`, `"worked"`}},
		"OTEL_METRICS_EXEMPLAR_FILTER= Always_Off ":                              {has: []string{`"work.done"`}, lacks: []string{"exemplars"}},
		"OTEL_METRICS_EXEMPLAR_FILTER= Trace_Based ":                             {has: []string{"exemplars"}},
		"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE= DELTA ":              {has: []string{"TEMPORALITY_DELTA"}},
		// A View takes precedence, such as that of the SDK's own durations.
		"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION= Base2_Exponential_Bucket_Histogram ": {has: []string{"exponential_histogram", "explicit_bounds:0.001"}},
		"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT= 3 ":                                                         {has: []string{`"gre"`}, lacks: []string{`"gree"`}},
		"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT= 3 ":                                                    {has: []string{`"gre"`, `"green"`}},
		"OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT= 4 ":                                               {has: []string{`"gree"`, `"green"`}},
		"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT= 0 ":                                                           {has: []string{"dropped_attributes_count:1"}},
		"OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT= 0 ":                                                      {has: []string{"dropped_attributes_count:1"}},
		"OTEL_GO_X_OBSERVABILITY= TRUE ":                                                                {has: []string{"otel.sdk.span.started"}},
		"OTEL_GO_X_OBSERVABILITY= False ":                                                               {lacks: []string{"otel.sdk.span"}},
	}
	for setting, test := range tests {
		t.Run(setting, func(t *testing.T) {
			setenv(t, append([]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + url, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, strings.Split(setting, "|")...)...)
			stop := start(t, io.Discard)
			paint(t)
			if err := stop(t.Context(), nil); err != nil {
				t.Error(err)
			}
			arrived := received.arrived()
			for _, has := range test.has {
				if !strings.Contains(arrived, has) {
					t.Errorf("no %s in %.4000s", has, arrived)
				}
			}
			for _, lacks := range test.lacks {
				if strings.Contains(arrived, lacks) {
					t.Errorf("%s arrived", lacks)
				}
			}
		})
	}
}

// paint does work, in a span and with records and measurements whose attributes have long values.
func paint(t *testing.T) {
	t.Helper()
	ctx, span := otel.Tracer("test").Start(t.Context(), "painting", trace.WithAttributes(attribute.String("colour", "green")))
	defer span.End()
	slog.InfoContext(ctx, "painted", "colour", "green")
	duration := telemetry.Must(otel.Meter("test").Float64Histogram("work.duration", metric.WithUnit("s")))
	duration.Record(ctx, 1)
	telemetry.Must(otel.Meter("test").Float64Histogram("otel.sdk.painting.duration")).Record(ctx, 1)
	work(ctx)
}

// TestPropagators sends a trace and baggage on as OTEL_PROPAGATORS says, even if the SDK is disabled.
func TestPropagators(t *testing.T) {
	for value, want := range map[string]string{
		"":                         "baggage traceparent",
		" tracecontext, baggage, ": "baggage traceparent",
		"TraceContext":             "traceparent",
		"b3 , baggage":             "b3 baggage",
		"none":                     "",
	} {
		for _, disabled := range []string{"", "TRUE"} {
			t.Run(value+disabled, func(t *testing.T) {
				setenv(t, "OTEL_PROPAGATORS="+value, "OTEL_SDK_DISABLED="+disabled)
				stop := start(t, io.Discard)
				member, err := baggage.NewMember("a", "b")
				if err != nil {
					t.Fatal(err)
				}
				bag, err := baggage.New(member)
				if err != nil {
					t.Fatal(err)
				}
				parent := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
				headers := propagation.MapCarrier{}
				otel.GetTextMapPropagator().Inject(baggage.ContextWithBaggage(trace.ContextWithSpanContext(t.Context(), parent), bag), headers)
				if got := strings.Join(slices.Sorted(maps.Keys(headers)), " "); got != want {
					t.Errorf("headers %q, want %q", got, want)
				}
				if err := stop(t.Context(), nil); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestHeadersAreSent(t *testing.T) {
	received, url := startReceiver(t)
	setenv(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+url, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_HEADERS= Authorization = Bearer%20x , a=b, ")
	stop := start(t, io.Discard)
	if err := stop(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if got := received.headers; !slices.Equal(got.Get("authorization"), []string{"Bearer x"}) || !slices.Equal(got.Get("a"), []string{"b"}) {
		t.Errorf("headers %v", got)
	}
}

// TestDisabledSDKNeedsNoGoodSettings wants the SDK to be disabled, whatever else is set.
func TestDisabledSDKNeedsNoGoodSettings(t *testing.T) {
	bad := []string{"OTEL_SDK_DISABLED= True "}
	for _, name := range telemetry.SettingNames() {
		if name != "OTEL_SDK_DISABLED" && name != "OTEL_PROPAGATORS" {
			bad = append(bad, name+"=bad \xff")
		}
	}
	setenv(t, bad...)
	var out console
	stop := start(t, &out)
	work(t.Context())
	cause := errors.New("cause")
	if err := stop(t.Context(), cause); !errors.Is(err, cause) {
		t.Errorf("stop returns %v", err)
	}
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"worked"`) {
		t.Errorf("output %s", got)
	}
}

// TestCombinationsAreRefused refuses settings that do not fit together, where one of them would have no effect.
func TestCombinationsAreRefused(t *testing.T) {
	certificate, key := writeCertificate(t)
	_, other := writeCertificate(t)
	const tls = "OTEL_EXPORTER_OTLP_CERTIFICATE: want an endpoint with https://"
	for settings, want := range map[string]string{
		"OTEL_TRACES_SAMPLER_ARG=0.1":                                 "OTEL_TRACES_SAMPLER_ARG: want OTEL_TRACES_SAMPLER as well, such as parentbased_traceidratio",
		"OTEL_TRACES_SAMPLER_ARG=0.1|OTEL_TRACES_SAMPLER=always_on":   "",
		"OTEL_BSP_MAX_QUEUE_SIZE=9|OTEL_BSP_MAX_EXPORT_BATCH_SIZE=10": "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=10: want at most 9, the value of OTEL_BSP_MAX_QUEUE_SIZE",
		"OTEL_BLRP_MAX_EXPORT_BATCH_SIZE=2049":                        "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE=2049: want at most 2048, the value of OTEL_BLRP_MAX_QUEUE_SIZE",
		"OTEL_BSP_MAX_QUEUE_SIZE=9":                                   "",
		"OTEL_EXPORTER_OTLP_CLIENT_KEY=" + key:                        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY: want the paths of a certificate and its key",
		"OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE=" + certificate + "|OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY=" + other:                               "OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY: want the paths of a certificate and its key",
		"OTEL_EXPORTER_OTLP_CERTIFICATE=" + certificate + "|OTEL_EXPORTER_OTLP_ENDPOINT=http://a":                                                  tls,
		"OTEL_EXPORTER_OTLP_CERTIFICATE=" + certificate + "|OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=http://a":                                             tls,
		"OTEL_EXPORTER_OTLP_CERTIFICATE=" + certificate + "|OTEL_EXPORTER_OTLP_ENDPOINT=https://a":                                                 "",
		"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=" + certificate + "|OTEL_EXPORTER_OTLP_CLIENT_KEY=" + key + "|OTEL_EXPORTER_OTLP_ENDPOINT=http://a": "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: want an endpoint with https://",
	} {
		t.Run(settings, func(t *testing.T) {
			err := startWith(t, strings.Split(settings, "|")...)
			if got := fmt.Sprint(err); err == nil && want != "" || err != nil && got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}
