package checklist

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/store"
)

// checkPresence requires that the service can be built and starts.
func (e *evidence) checkPresence(service string) Verdict {
	v := Verdict{Reason: e.Broken[service]}
	if strings.Contains(v.Reason, "conflicting Schema URL") {
		v.Reason += "\nYour semconv package has another version than the SDK's resource. Merge with resource.NewSchemaless, or use resource.New with options, as shared/telemetry does."
		return v.needs("resource.New(")
	}
	return v
}

// checkArrival requires telemetry of any kind from a service, with all attributes of the resource.
func (e *evidence) checkArrival(service string) Verdict {
	resource, found := e.resource(service)
	if !found {
		return e.nothing(service)
	}
	v := checkMissing("the resource", []attributed{{values: resource}}, declared.Attributes{Always: e.want.Resource})
	if !v.There() {
		v.Needles = []string{"resource.New("}
	}
	return v
}

// resource returns the resource of the first span, record or data point that arrived from a service.
func (e *evidence) resource(service string) (map[string]string, bool) {
	for _, span := range e.Spans {
		if span.Service == service {
			return span.Resource, true
		}
	}
	for _, record := range e.Records {
		if record.Service == service {
			return record.Resource, true
		}
	}
	for _, point := range e.Points {
		if point.Service == service {
			return point.Resource, true
		}
	}
	return nil, false
}

var (
	printed = regexp.MustCompile(`"(SpanContext|ScopeMetrics|InstrumentationScope)"\s*:`) // by exporters to the terminal
	dialed  = regexp.MustCompile(`dial tcp (\[?[\w.:]+\]?:\d+)`)
)

// nothing explains why no telemetry has arrived from a service.
func (e *evidence) nothing(service string) Verdict {
	if other := e.alias(service); other != "" {
		return wrong("Telemetry arrives from a service named %q. The name must be %q: change it where the SDK is started.", other, service)
	}
	if printed.MatchString(e.service(service).Output) {
		return wrong("The service writes its telemetry to the terminal, so none has arrived at the collector. Use exporters for OTLP instead.").needs("telemetry.Start(", "autoexport.NewSpanExporter(")
	}
	complaint := e.complaint(service)
	if address := dialed.FindStringSubmatch(complaint); address != nil && e.Endpoint != "" && !samePort(address[1], e.Endpoint) {
		return wrong("The service sends its telemetry to %s, but OTEL_EXPORTER_OTLP_ENDPOINT in its environment is http://%s: leave the endpoint out of the code, and the exporter takes it from there.\n%s", address[1], e.Endpoint, complaint)
	}
	if complaint != "" {
		return wrong("The service could not send its telemetry: %s\nCheck the endpoint and the protocol: the collector accepts OTLP over gRPC at the address in OTEL_EXPORTER_OTLP_ENDPOINT.", complaint)
	}
	return wrong("No telemetry has arrived, and the service reported no failed export. Start the SDK, and give each provider an exporter for OTLP. If it has one, leave the endpoint out of the code: it is in OTEL_EXPORTER_OTLP_ENDPOINT.")
}

func samePort(a, b string) bool {
	return a[strings.LastIndex(a, ":"):] == b[strings.LastIndex(b, ":"):]
}

// alias returns the name under which a service sends telemetry, if it is the wrong one.
func (e *evidence) alias(service string) string {
	for _, x := range e.callsTo(service) {
		for _, span := range e.below[x.SpanID] {
			if x.SpanID != "" && span.Kind == "server" && span.TraceID == x.TraceID {
				return span.Service
			}
		}
	}
	strangers := filter(e.senders(), func(name string) bool { return name != "traffic" && e.service(name).Name == "" })
	if len(strangers) == 1 {
		return strangers[0]
	}
	for _, name := range strangers {
		if nearest(service, []string{name}) != "" {
			return name
		}
	}
	return ""
}

// senders returns the names of all services that have sent telemetry.
func (e *evidence) senders() []string {
	names := make(map[string]bool)
	for _, span := range e.Spans {
		names[span.Service] = true
	}
	for _, record := range e.Records {
		names[record.Service] = true
	}
	for _, point := range e.Points {
		if !strings.Contains(point.Scope, "connector") && point.Scope != "traces_service_graph" { // the collector's
			names[point.Service] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// checkRuntime requires the metrics of the Go runtime.
func (e *evidence) checkRuntime(service string) Verdict {
	seen := make(map[string]bool)
	for _, point := range e.Points {
		if point.Service == service {
			seen[point.Name] = true
		}
	}
	if len(seen) == 0 {
		return wrong("No metrics have arrived from this service. It needs a meter provider with a reader.")
	}
	for _, m := range e.want.Metrics {
		if strings.HasPrefix(m.Name, "go.") && !m.Optional && !seen[m.Name] {
			return wrong("The metric %s is missing. Call Start of the package contrib/instrumentation/runtime, which records it.", m.Name).needs("telemetry.Start(")
		}
	}
	return Verdict{}
}

// checkOwnMetrics requires that the environment of each service makes the SDK report on itself, and that it does.
func (e *evidence) checkOwnMetrics() Verdict {
	for _, service := range e.Services {
		arrived := slices.ContainsFunc(e.Points, func(p store.Point) bool {
			return p.Service == service.Name && strings.HasPrefix(p.Name, "otel.sdk.")
		})
		if !service.SelfObserved || !arrived {
			return wrong("No otel.sdk metrics arrive from the service %s. Set OTEL_GO_X_OBSERVABILITY=true in its environment.", service.Name)
		}
	}
	return Verdict{}
}

// checkFlush requires the last log record of a service, which the service writes when it stops.
func (e *evidence) checkFlush(service string) Verdict {
	records := filter(e.Records, func(r store.Record) bool { return r.Service == service })
	if slices.ContainsFunc(records, func(r store.Record) bool { return r.Message == "stopping" }) {
		return Verdict{}
	}
	if complaint := e.complaint(service); complaint != "" {
		return wrong("The telemetry of the last second is lost, because the service could not send it: %s", complaint)
	}
	return wrong("The log record \"stopping\" is lost, because the service exited before it sent the telemetry in its memory. Shut the SDK down before main returns.")
}

// complaint returns the last line in which the SDK or an exporter of a service reports a failed export, or "".
func (e *evidence) complaint(service string) string {
	found := ""
	for line := range strings.Lines(e.service(service).Output) {
		lower := strings.ToLower(line)
		for _, sign := range []string{"telemetry error", "failed to upload", "exporter export timeout", "connection refused", "rpc error", "malformed http", "traces export", "retry-able"} {
			if strings.Contains(lower, sign) {
				found = message(strings.TrimSpace(line))
			}
		}
	}
	if found == "" && e.Stopped != nil && strings.Contains(e.Stopped.Error(), "flushing") {
		found = e.Stopped.Error()
	}
	return found
}

// message returns the error or the message of a log line in JSON. Other lines are returned unchanged.
func message(line string) string {
	var record struct{ Error, Msg string }
	if err := json.Unmarshal([]byte(line), &record); err != nil {
		return line
	}
	return cmp.Or(record.Error, record.Msg, line)
}
