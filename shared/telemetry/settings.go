package telemetry

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Each library reads its OTEL_ variables itself, and they disagree: one does not trim a value, another ignores a bad one or
// panics. So Start checks all of them first, and puts them back in the form that every library understands: without padding,
// names in lower case, lists without empty elements. A variable of spaces only is the same as none.
//
// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/

// setting is what some variables allow. {a,b} in names stands for a variable with a and one with b.
type setting struct {
	names string
	want  string                            // what is allowed, for the error
	parse func(value string) (string, bool) // returns the form that every library understands
}

// generalSettings apply even if the SDK is disabled.
func generalSettings() []setting {
	return []setting{
		boolean("OTEL_SDK_DISABLED"),
		anyOf("OTEL_PROPAGATORS", "tracecontext", "baggage", "b3", "b3multi", "jaeger", "xray", "ottrace", "none"),
	}
}

func sdkSettings() []setting {
	return []setting{
		{"OTEL_{SERVICE_NAME,EXPORTER_PROMETHEUS_HOST}", "text in UTF-8", utf8Text},
		{"OTEL_RESOURCE_ATTRIBUTES", "key=value,key=value with values in UTF-8, percent-encoded", pairs(isAttribute)},

		oneOf("OTEL_{TRACES,LOGS}_EXPORTER", "otlp", "console", "none"),
		oneOf("OTEL_METRICS_EXPORTER", "otlp", "console", "prometheus", "none"),
		number("OTEL_EXPORTER_PROMETHEUS_PORT", 0, math.MaxUint16),
		anyOf("OTEL_METRICS_PRODUCERS", "prometheus", "none"),
		{"OTEL_EXPORTER_OTLP_{,TRACES_,METRICS_,LOGS_}ENDPOINT", "a URL such as http://localhost:4317, without user, password or query", endpoint},
		oneOf("OTEL_EXPORTER_OTLP_{,TRACES_,METRICS_,LOGS_}PROTOCOL", "grpc", "http/protobuf"),
		oneOf("OTEL_EXPORTER_OTLP_{,TRACES_,METRICS_,LOGS_}COMPRESSION", "gzip", "none"),
		boolean("OTEL_EXPORTER_OTLP_{,TRACES_,METRICS_,LOGS_}INSECURE"),
		number("OTEL_EXPORTER_OTLP_{,TRACES_,METRICS_,LOGS_}TIMEOUT", 0, math.MaxInt32), // milliseconds; 0 is no limit
		{"OTEL_EXPORTER_OTLP_{,TRACES_,METRICS_,LOGS_}HEADERS", "key=value,key=value with values in ASCII, percent-encoded", pairs(isHeader)},
		{"OTEL_EXPORTER_OTLP_{,TRACES_,METRICS_,LOGS_}CERTIFICATE", "the path of a PEM file with certificates", certificates},
		{"OTEL_EXPORTER_OTLP_{,TRACES_,METRICS_,LOGS_}CLIENT_{CERTIFICATE,KEY}", "the path of a PEM file", file},

		oneOf("OTEL_TRACES_SAMPLER", "always_on", "always_off", "traceidratio",
			"parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"),
		{"OTEL_TRACES_SAMPLER_ARG", "a number from 0 to 1", ratio},
		number("OTEL_{BSP,BLRP}_{MAX_QUEUE,MAX_EXPORT_BATCH}_SIZE", 1, 1_000_000),
		number("OTEL_{BSP,BLRP}_{SCHEDULE_DELAY,EXPORT_TIMEOUT}", 1, math.MaxInt32), // milliseconds
		number("OTEL_{,SPAN_,LOGRECORD_}ATTRIBUTE_{COUNT,VALUE_LENGTH}_LIMIT", 0, math.MaxInt32),
		number("OTEL_{SPAN_EVENT,SPAN_LINK,EVENT_ATTRIBUTE,LINK_ATTRIBUTE}_COUNT_LIMIT", 0, math.MaxInt32),

		number("OTEL_METRIC_EXPORT_{INTERVAL,TIMEOUT}", 1, math.MaxInt32), // milliseconds
		oneOf("OTEL_METRICS_EXEMPLAR_FILTER", "always_on", "always_off", "trace_based"),
		oneOf("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "cumulative", "delta", "lowmemory"),
		oneOf("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "explicit_bucket_histogram", "base2_exponential_bucket_histogram"),

		boolean("OTEL_GO_X_{OBSERVABILITY,SELF_OBSERVABILITY,PER_SERIES_START_TIMESTAMPS,RESOURCE,DEPRECATED_RUNTIME_METRICS}"),
		number("OTEL_GO_X_CARDINALITY_LIMIT", 0, math.MaxInt32),
	}
}

// checkSettings returns an error of one line for the first bad value: the variable's name, the value unless it may hold a
// secret, and what is allowed.
func checkSettings(settings []setting) error {
	for _, s := range settings {
		for _, name := range expand(s.names) {
			value := strings.TrimSpace(os.Getenv(name))
			good, ok := "", true
			if value != "" {
				good, ok = s.parse(value)
			}
			if !ok {
				return fmt.Errorf("%s%s: want %s", name, shown(name, value), s.want)
			}
			if err := setenv(name, good); err != nil {
				return err
			}
		}
	}
	return nil
}

// shown returns a bad value for an error, or nothing if it may hold a secret, such as the password of a URL.
func shown(name, value string) string {
	if strings.ContainsAny(value, "@?#") || regexp.MustCompile("(HEADERS|CERTIFICATE|KEY)$").MatchString(name) {
		return ""
	}
	return fmt.Sprintf("=%.200q", value)
}

// setenv leaves a variable alone if it has the value already.
func setenv(name, value string) error {
	if os.Getenv(name) == value {
		return nil
	}
	return os.Setenv(name, value)
}

// expand returns the names that a pattern such as OTEL_{BSP,BLRP}_MAX_{QUEUE,EXPORT_BATCH}_SIZE stands for.
func expand(pattern string) []string {
	before, rest, found := strings.Cut(pattern, "{")
	if !found {
		return []string{pattern}
	}
	list, after, _ := strings.Cut(rest, "}")
	var names []string
	for part := range strings.SplitSeq(list, ",") {
		names = append(names, expand(before+part+after)...)
	}
	return names
}

// checkCombinations rejects settings that do not fit together.
func checkCombinations() error {
	if os.Getenv("OTEL_TRACES_SAMPLER_ARG") != "" && os.Getenv("OTEL_TRACES_SAMPLER") == "" {
		return errors.New("OTEL_TRACES_SAMPLER_ARG: want OTEL_TRACES_SAMPLER as well, such as parentbased_traceidratio")
	}
	for _, processor := range []string{"OTEL_BSP_", "OTEL_BLRP_"} {
		batch, _ := strconv.Atoi(os.Getenv(processor + "MAX_EXPORT_BATCH_SIZE"))
		queue, _ := strconv.Atoi(cmp.Or(os.Getenv(processor+"MAX_QUEUE_SIZE"), "2048"))
		if batch > queue {
			return fmt.Errorf("%sMAX_EXPORT_BATCH_SIZE=%d: want at most %d, the value of %[1]sMAX_QUEUE_SIZE", processor, batch, queue)
		}
	}
	for _, signal := range []string{"", "TRACES_", "METRICS_", "LOGS_"} {
		if err := checkTLS(signal); err != nil {
			return err
		}
	}
	return nil
}

// checkTLS checks the settings of TLS for one signal, or for all. An endpoint's scheme alone says whether TLS is used, as the
// specification has it; some exporters would let INSECURE decide, and send over https:// without TLS.
func checkTLS(signal string) error {
	client := "OTEL_EXPORTER_OTLP_" + signal + "CLIENT_"
	certificate, key := os.Getenv(client+"CERTIFICATE"), os.Getenv(client+"KEY")
	if _, err := tls.LoadX509KeyPair(certificate, key); err != nil && certificate+key != "" {
		return fmt.Errorf("%sCERTIFICATE and %[1]sKEY: want the paths of a certificate and its key", client)
	}
	endpoint := os.Getenv(otlp(signal, "ENDPOINT"))
	if endpoint == "" || signal == "" {
		return nil
	}
	plain := strings.HasPrefix(endpoint, "http:")
	for _, option := range []string{"CERTIFICATE", "CLIENT_CERTIFICATE"} {
		if name := otlp(signal, option); plain && os.Getenv(name) != "" {
			return fmt.Errorf("%s: want an endpoint with https://", name)
		}
	}
	return setenv("OTEL_EXPORTER_OTLP_"+signal+"INSECURE", strconv.FormatBool(plain))
}

// otlp returns the name of the variable that sets an option for a signal: its own if that is set, or that of all signals.
func otlp(signal, option string) string {
	if own := "OTEL_EXPORTER_OTLP_" + signal + option; os.Getenv(own) != "" {
		return own
	}
	return "OTEL_EXPORTER_OTLP_" + option
}

func boolean(names string) setting { return oneOf(names, "true", "false") }

func oneOf(names string, allowed ...string) setting {
	return setting{names, "one of " + strings.Join(allowed, ", "), func(value string) (string, bool) {
		value = strings.ToLower(strings.TrimRight(value, ", "))
		return value, slices.Contains(allowed, value)
	}}
}

func anyOf(names string, allowed ...string) setting {
	return setting{names, "a list of " + strings.Join(allowed, ", "), func(value string) (string, bool) {
		list := elements(strings.ToLower(value))
		for _, element := range list {
			if !slices.Contains(allowed, element) {
				return "", false
			}
		}
		return strings.Join(list, ","), len(list) > 0
	}}
}

// number allows whole numbers.
func number(names string, least, most int) setting {
	return setting{names, fmt.Sprintf("a whole number from %d to %d", least, most), func(value string) (string, bool) {
		n, err := strconv.Atoi(value)
		return value, err == nil && n >= least && n <= most
	}}
}

func ratio(value string) (string, bool) {
	x, err := strconv.ParseFloat(value, 64)
	return value, err == nil && x >= 0 && x <= 1
}

func utf8Text(value string) (string, bool) { return value, utf8.ValidString(value) }

// endpoint refuses collector:4317, whose scheme is "collector", and what the exporters would leave out without a word.
func endpoint(value string) (string, bool) {
	u, err := url.Parse(value)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil || strings.ContainsAny(value, "?#") {
		return "", false
	}
	_, err = strconv.ParseUint(cmp.Or(u.Port(), "80"), 10, 16)
	return u.String(), err == nil
}

// pairs allows a list of key=value, with percent-encoded values, in which each decoded pair is good.
func pairs(good func(key, value string) bool) func(string) (string, bool) {
	return func(list string) (string, bool) {
		all := elements(list)
		for _, pair := range all {
			key, value, found := strings.Cut(pair, "=")
			value, err := url.PathUnescape(strings.TrimSpace(value))
			if !found || err != nil || !good(strings.TrimSpace(key), value) {
				return "", false
			}
		}
		return strings.Join(all, ","), len(all) > 0
	}
}

func isAttribute(key, value string) bool { return key != "" && utf8.ValidString(key+value) }

// isHeader reports whether the key and the value can be sent over HTTP and gRPC.
func isHeader(key, value string) bool {
	return regexp.MustCompile("^[0-9A-Za-z_.-]+$").MatchString(key) && regexp.MustCompile("^[ -~]*$").MatchString(value)
}

// elements returns the elements of a list without padding. It leaves out empty ones, so a trailing comma is harmless.
func elements(list string) []string {
	var all []string
	for element := range strings.SplitSeq(list, ",") {
		if element = strings.TrimSpace(element); element != "" {
			all = append(all, element)
		}
	}
	return all
}

func file(path string) (string, bool) {
	info, err := os.Stat(path)
	return path, err == nil && info.Mode().IsRegular()
}

func certificates(path string) (string, bool) {
	if _, ok := file(path); !ok {
		return "", false
	}
	pem, err := os.ReadFile(path)
	return path, err == nil && x509.NewCertPool().AppendCertsFromPEM(pem)
}
