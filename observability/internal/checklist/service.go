package checklist

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"

	"example.com/dice/observability/internal/declared"
)

// checkPresence requires that the service can be built and starts.
func (r *Run) checkPresence(service string) Verdict { return Verdict{Reason: r.Broken[service]} }

// checkArrival requires telemetry of any kind from a service, with all attributes of the resource.
func (r *Run) checkArrival(service string, want declared.Telemetry) Verdict {
	resource, found := r.resource(service)
	if !found {
		return r.nothing(service)
	}
	for _, name := range want.Resource {
		if _, ok := resource[name]; !ok {
			return Verdict{missingAttribute("the resource", name, resource, want.Resource), strconv.Quote(name)}
		}
	}
	return Verdict{}
}

// resource returns the resource of the first span, record or data point that arrived from a service.
func (r *Run) resource(service string) (map[string]string, bool) {
	for _, span := range r.Spans {
		if span.Service == service {
			return span.Resource, true
		}
	}
	for _, record := range r.Records {
		if record.Service == service {
			return record.Resource, true
		}
	}
	for _, point := range r.Points {
		if point.Service == service {
			return point.Resource, true
		}
	}
	return nil, false
}

// nothing explains why no telemetry has arrived from a service.
func (r *Run) nothing(service string) Verdict {
	for _, other := range r.services() {
		if strings.HasPrefix(other, "unknown_service") || levenshtein.ComputeDistance(strings.ToLower(other), service) <= 2 && r.service(other).Port == "" {
			return wrong("Telemetry arrives from a service named %q. The name must be %q: change it where the SDK is started.", other, service)
		}
	}
	if complaint := r.complaint(service); complaint != "" {
		return wrong("The service could not send its telemetry: %s\nCheck the endpoint and the protocol: the collector accepts OTLP over gRPC at the address in OTEL_EXPORTER_OTLP_ENDPOINT.", complaint)
	}
	return wrong("No telemetry has arrived, and the service reported no failed export. Start the SDK, and give each provider an exporter.")
}

// services returns the names of all services that have sent telemetry.
func (r *Run) services() []string {
	names := make(map[string]bool)
	for _, span := range r.Spans {
		names[span.Service] = true
	}
	for _, record := range r.Records {
		names[record.Service] = true
	}
	for _, point := range r.Points {
		names[point.Service] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func (r *Run) checkRuntime(service string, want declared.Telemetry) Verdict {
	any := false
	seen := make(map[string]bool)
	for _, point := range r.Points {
		if point.Service == service {
			any, seen[point.Name] = true, true
		}
	}
	if !any {
		return wrong("No metrics have arrived from this service. It needs a meter provider with a reader.")
	}
	for _, m := range want.Metrics {
		if strings.HasPrefix(m.Name, "go.") && !m.Optional && !seen[m.Name] {
			return wrong("The metric %s is missing. Call Start of the package contrib/instrumentation/runtime, which records it.", m.Name)
		}
	}
	return Verdict{}
}

func (r *Run) checkOwnMetrics() Verdict {
	own := make(map[string]bool) // services
	for _, point := range r.Points {
		if strings.HasPrefix(point.Name, "otel.sdk.") {
			own[point.Service] = true
		}
	}
	for _, service := range r.Services {
		if !own[service.Name] {
			return wrong("No otel.sdk metrics have arrived from the service %s. Set OTEL_GO_X_OBSERVABILITY=true in its environment.", service.Name)
		}
	}
	return Verdict{}
}

// checkFlush requires the last log record of a service, which the service writes when it stops.
func (r *Run) checkFlush(service string) Verdict {
	for _, record := range r.Records {
		if record.Service == service && record.Message == "stopping" {
			return Verdict{}
		}
	}
	if complaint := r.complaint(service); complaint != "" {
		return wrong("The telemetry of the last second is lost, because the service could not send it: %s", complaint)
	}
	return wrong("The log record \"stopping\" is lost, because the service exited before it sent the telemetry in its memory. Shut the SDK down before main returns.")
}

// complaint returns the last line in which the SDK or an exporter of a service reports a failed export, or "".
func (r *Run) complaint(service string) string {
	found := ""
	for line := range strings.Lines(r.service(service).Output) {
		lower := strings.ToLower(line)
		for _, sign := range []string{"telemetry error", "failed to upload", "exporter export timeout", "connection refused", "rpc error", "malformed http", "traces export", "retry-able"} {
			if strings.Contains(lower, sign) {
				found = message(strings.TrimSpace(line))
			}
		}
	}
	if found == "" && r.Stopped != nil && strings.Contains(r.Stopped.Error(), "flushing") {
		found = r.Stopped.Error()
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
