package telemetry_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"example.com/dice/shared/telemetry"
)

// variable is a standard variable with values that it allows, and others. A * in the name stands for the signals.
type variable struct {
	name      string
	good, bad []string
	with      string // another variable that it needs
}

var (
	whole    = []string{"-1", "1.5", "1e3", "0x10", "ten", "5s", "99999999999999999999", "1_000", "1 000", "２"}
	positive = append([]string{"0"}, whole...)
	booleans = []string{"1", "yes", "tru", "true false"}
)

func variables(t *testing.T) []variable {
	t.Helper()
	certificate, key := writeCertificate(t)
	nothing := filepath.Join(t.TempDir(), "hunter2")
	files := []string{nothing, filepath.Dir(certificate), "/dev/zero", "-----BEGIN CERTIFICATE----- hunter2"}
	return []variable{
		{"OTEL_SDK_DISABLED", []string{"true", "False"}, booleans, ""},
		{"OTEL_SERVICE_NAME", []string{"shop", "größe", "a,b=c"}, []string{"sh\xffop"}, ""},
		{"OTEL_RESOURCE_ATTRIBUTES", []string{"a=b", "a=b, c = d,", "a=%C3%A4,b=c%2Cd=e", "a="}, []string{"team", "a=b,team", "=b", "a=%zz", "a=%ff", "a\xff=b", "a=\xff", ","}, ""},
		{"OTEL_PROPAGATORS", []string{"tracecontext, baggage", "b3,,", "TraceContext", "none", "b3multi,jaeger,xray,ottrace"}, []string{"w3c", "tracecontext baggage", "tracecontext;baggage", ","}, ""},
		{"OTEL_TRACES_SAMPLER", []string{"always_on", "Parentbased_TraceIdRatio", "traceidratio", "always_off", "parentbased_always_on", "parentbased_always_off"}, []string{"always_onn", "always-on", "0.5", "jaeger_remote"}, ""},
		{"OTEL_TRACES_SAMPLER_ARG", []string{"0", "1", "0.25", "1e-3"}, []string{"0,5", "50%", "1.01", "-0.1", "NaN", "Inf", "half"}, "OTEL_TRACES_SAMPLER=traceidratio"},
		{"OTEL_TRACES_EXPORTER", []string{"none", "NONE", "none,"}, []string{"jaeger", "otlp,console", "logging"}, ""},
		{"OTEL_LOGS_EXPORTER", []string{"none", "None"}, []string{"syslog", "otlp console"}, ""},
		{"OTEL_METRICS_EXPORTER", []string{"none", "NONE"}, []string{"statsd", "otlp,console"}, ""},
		{"OTEL_METRICS_PRODUCERS", []string{"prometheus", "None", "prometheus,"}, []string{"statsd"}, ""},
		{"OTEL_EXPORTER_PROMETHEUS_HOST", []string{"localhost"}, []string{"\xff"}, ""},
		{"OTEL_EXPORTER_PROMETHEUS_PORT", []string{"0", "9464"}, append([]string{"65536"}, whole...), ""},
		{"OTEL_EXPORTER_OTLP_*ENDPOINT", []string{"http://localhost:4317", "HTTPS://collector", "http://[::1]:4318/base/"}, []string{"collector:4317", "localhost", "http://", "http://:4317", "grpc://a:1", "http://a:65536", "http://a b", "http://Ada:hunter2@a", "http://Ada:hunter2@", "https://a/?key=hunter2", "http://a/#b", "http://a/%zz", "file:///etc/passwd"}, ""},
		{"OTEL_EXPORTER_OTLP_*PROTOCOL", []string{"grpc", "HTTP/Protobuf"}, []string{"http", "http/json", "tcp"}, ""},
		{"OTEL_EXPORTER_OTLP_*HEADERS", []string{"a=b", "Authorization=Bearer%20hunter2, x-scope=1,", "a=b=c", "a="}, []string{"hunter2", "a=b,hunter2", "=hunter2", "a b=hunter2", "a=%zzhunter2", "a=hunter2%0a", "a=%C3%A4hunter2", "ä=hunter2", "a:b=hunter2"}, ""},
		{"OTEL_EXPORTER_OTLP_*TIMEOUT", []string{"0", "10000"}, append([]string{"2147483648"}, whole...), ""},
		{"OTEL_EXPORTER_OTLP_*COMPRESSION", []string{"gzip", "None"}, []string{"zip", "zstd", "true"}, ""},
		{"OTEL_EXPORTER_OTLP_*INSECURE", []string{"true", "FALSE"}, booleans, ""},
		{"OTEL_EXPORTER_OTLP_*CERTIFICATE", []string{certificate}, append([]string{key}, files...), ""},
		{"OTEL_EXPORTER_OTLP_*CLIENT_CERTIFICATE", []string{certificate}, append([]string{key}, files...), "OTEL_EXPORTER_OTLP_*CLIENT_KEY=" + key},
		{"OTEL_EXPORTER_OTLP_*CLIENT_KEY", []string{key}, append([]string{certificate}, files...), "OTEL_EXPORTER_OTLP_*CLIENT_CERTIFICATE=" + certificate},
		{"OTEL_BSP_MAX_QUEUE_SIZE", []string{"1", "20000"}, append([]string{"1000001"}, positive...), ""},
		{"OTEL_BLRP_MAX_QUEUE_SIZE", []string{"1", "20000"}, append([]string{"1000001"}, positive...), ""},
		{"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", []string{"1", "2048"}, append([]string{"2049"}, positive...), ""},
		{"OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", []string{"1", "300"}, append([]string{"301"}, positive...), "OTEL_BLRP_MAX_QUEUE_SIZE=300"},
		{"OTEL_BSP_SCHEDULE_DELAY", []string{"1", "5000"}, positive, ""},
		{"OTEL_BLRP_SCHEDULE_DELAY", []string{"1", "5000"}, positive, ""},
		{"OTEL_BSP_EXPORT_TIMEOUT", []string{"1", "5000"}, positive, ""},
		{"OTEL_BLRP_EXPORT_TIMEOUT", []string{"1", "5000"}, positive, ""},
		{"OTEL_ATTRIBUTE_COUNT_LIMIT", []string{"0", "128"}, whole, ""},
		{"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", []string{"0", "4096"}, whole, ""},
		{"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", []string{"0", "128"}, whole, ""},
		{"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", []string{"0", "128"}, whole, ""},
		{"OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", []string{"0", "128"}, whole, ""},
		{"OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", []string{"0", "128"}, whole, ""},
		{"OTEL_SPAN_EVENT_COUNT_LIMIT", []string{"0", "128"}, whole, ""},
		{"OTEL_SPAN_LINK_COUNT_LIMIT", []string{"0", "128"}, whole, ""},
		{"OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", []string{"0", "128"}, whole, ""},
		{"OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", []string{"0", "128"}, whole, ""},
		{"OTEL_METRIC_EXPORT_INTERVAL", []string{"1", "60000"}, positive, ""},
		{"OTEL_METRIC_EXPORT_TIMEOUT", []string{"1", "30000"}, positive, ""},
		{"OTEL_METRICS_EXEMPLAR_FILTER", []string{"always_on", "Always_Off", "trace_based"}, []string{"off", "always"}, ""},
		{"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", []string{"delta", "Cumulative", "LowMemory"}, []string{"deltas"}, ""},
		{"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", []string{"explicit_bucket_histogram", "Base2_Exponential_Bucket_Histogram"}, []string{"exponential"}, ""},
		{"OTEL_GO_X_OBSERVABILITY", []string{"true", "False"}, booleans, ""},
		{"OTEL_GO_X_SELF_OBSERVABILITY", []string{"true", "False"}, booleans, ""},
		{"OTEL_GO_X_PER_SERIES_START_TIMESTAMPS", []string{"true", "False"}, booleans, ""},
		{"OTEL_GO_X_RESOURCE", []string{"true", "False"}, booleans, ""},
		{"OTEL_GO_X_DEPRECATED_RUNTIME_METRICS", []string{"true", "False"}, booleans, ""},
		{"OTEL_GO_X_CARDINALITY_LIMIT", []string{"0", "2000"}, whole, ""},
	}
}

// TestEveryVariableIsCheckedAtTheStart wants Start to take each good value, with padding too, and to refuse each bad one with
// one line that names the variable, says what is allowed, and has no secret.
func TestEveryVariableIsCheckedAtTheStart(t *testing.T) {
	checked := telemetry.SettingNames()
	for _, v := range variables(t) {
		for _, signal := range []string{"", "TRACES_", "METRICS_", "LOGS_"} {
			name := strings.ReplaceAll(v.name, "*", signal)
			if name == v.name && signal != "" {
				break
			}
			checked = slices.DeleteFunc(checked, func(c string) bool { return c == name })
			t.Run(name, func(t *testing.T) {
				with := strings.ReplaceAll(v.with, "*", signal)
				if err := startWith(t, name+"=  "); err != nil {
					t.Errorf("empty: %v", err)
				}
				for _, good := range v.good {
					if err := startWith(t, with, name+"=\t "+good+"  "); err != nil {
						t.Errorf("%q: %v", good, err)
					}
				}
				for _, bad := range append(v.bad, "x\n\x1b[2J\xff", strings.Repeat("\xff", 100_000)) {
					err := startWith(t, with, name+"="+bad)
					if err == nil {
						t.Errorf("%q is taken", bad)
						continue
					}
					text := err.Error()
					if !strings.Contains(text, name) || !strings.Contains(text, "want ") || strings.ContainsAny(text, "\n\r\x1b") || !utf8.ValidString(text) ||
						strings.Contains(text, "hunter2") || len(text) > 1500 {
						t.Errorf("%.100q: %.2000s", bad, text)
					}
				}
			})
		}
	}
	if len(checked) > 0 {
		t.Errorf("without a test: %v", checked)
	}
}

// startWith starts and stops the SDK without exporters, unless the variables set one.
func startWith(t *testing.T, variables ...string) error {
	t.Helper()
	variables = slices.DeleteFunc(variables, func(v string) bool { return v == "" })
	setenv(t, append([]string{"OTEL_TRACES_EXPORTER=none", "OTEL_METRICS_EXPORTER=none", "OTEL_LOGS_EXPORTER=none"}, variables...)...)
	stop, err := telemetry.Start(t.Context(), "tested", io.Discard)
	if err != nil {
		return err
	}
	return stop(t.Context(), nil)
}

// TestEveryVariableOfTheLibrariesIsKnown looks for variables in the code of the libraries. A new one needs a line in settings.go.
func TestEveryVariableOfTheLibrariesIsKnown(t *testing.T) {
	const format = `{{if not .Standard}}{{$dir := .Dir}}{{range .GoFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{end}}`
	files, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", format, ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	known := append(telemetry.SettingNames(), "OTEL_GO_X_", "OTEL_EXPORTER_OTLP", "OTEL_EXPORTER_OTLP_", "OTEL_BSP_", "OTEL_BLRP_")
	quoted := regexp.MustCompile(`"(OTEL_[A-Z_]+)"`)
	found := 0
	for file := range strings.FieldsSeq(string(files)) {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range quoted.FindAllSubmatch(code, -1) {
			found++
			if name := string(match[1]); !slices.Contains(known, name) {
				t.Errorf("%s reads %s", file, name)
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d variables in the code", found)
	}
}

// writeCertificate writes a certificate for 127.0.0.1 and its key, and returns their paths.
func writeCertificate(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, content []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("certificate", "CERTIFICATE", public), write("key", "PRIVATE KEY", encoded)
}
