package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"

	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/store"
)

// checkPresence requires that the service can be built and starts.
func (r *round) checkPresence(service string) verdict {
	if reason, ok := r.missing[service]; ok {
		return verdict{reason: reason}
	}
	switch {
	case r.failure == nil, !r.blames(service) && slices.ContainsFunc(r.stage.Services, r.mustAnswer):
		return verdict{}
	default:
		return verdict{reason: r.failure.Error()}
	}
}

// mustAnswer reports whether the failure is that of a service in the checklist. If it is that of the traffic, all services must
// answer for it, because the traffic is the stage's own.
func (r *round) mustAnswer(service compose.Service) bool {
	return service.Name != compose.Traffic && r.blames(service.Name)
}

// blames reports whether the failure names this service, or no service at all.
func (r *round) blames(service string) bool {
	for _, other := range r.stage.Services {
		if other.Name != service && strings.Contains(r.failure.Error(), other.Name+" ") && !strings.Contains(r.failure.Error(), service+" ") {
			return false
		}
	}
	return true
}

func (r *round) checkAnswers(service string) verdict { return r.answers[service] }

// checkArrival requires telemetry of any kind from a service, with all attributes of the resource.
func (r *round) checkArrival(service string, want declared.Telemetry) verdict {
	resource, found := r.resource(service)
	if !found {
		return r.nothing(service)
	}
	for _, name := range want.Resource {
		if _, ok := resource[name]; !ok {
			return verdict{missingAttribute("the resource", name, resource, want.Resource), strconv.Quote(name)}
		}
	}
	return verdict{}
}

// resource returns the resource of the first span, record or data point that arrived from a service.
func (r *round) resource(service string) (map[string]string, bool) {
	for _, span := range r.spans {
		if span.Service == service {
			return span.Resource, true
		}
	}
	for _, record := range r.records {
		if record.Service == service {
			return record.Resource, true
		}
	}
	for _, point := range r.points {
		if point.Service == service {
			return point.Resource, true
		}
	}
	return nil, false
}

// nothing explains why no telemetry has arrived from a service.
func (r *round) nothing(service string) verdict {
	for _, other := range r.services() {
		if strings.HasPrefix(other, "unknown_service") || levenshtein.ComputeDistance(strings.ToLower(other), service) <= 2 && r.stage.Service(other) == nil {
			return wrong("Telemetry arrives from a service named %q. The name must be %q: change it where the SDK is started.", other, service)
		}
	}
	if complaint := r.complaint(service); complaint != "" {
		return wrong("The service could not send its telemetry: %s\nCheck the endpoint and the protocol: the collector accepts OTLP over gRPC at the address in OTEL_EXPORTER_OTLP_ENDPOINT.", complaint)
	}
	return wrong("No telemetry has arrived, and the service reported no failed export. Start the SDK, and give each provider an exporter.")
}

// services returns the names of all services that have sent telemetry.
func (r *round) services() []string {
	names := make(map[string]bool)
	for _, span := range r.spans {
		names[span.Service] = true
	}
	for _, record := range r.records {
		names[record.Service] = true
	}
	for _, point := range r.points {
		names[point.Service] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func (r *round) checkRuntime(service string, want declared.Telemetry) verdict {
	any := false
	seen := make(map[string]bool)
	for _, point := range r.points {
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
	return verdict{}
}

func (r *round) checkOwnMetrics() verdict {
	own := make(map[string]bool) // services
	for _, point := range r.points {
		if strings.HasPrefix(point.Name, "otel.sdk.") {
			own[point.Service] = true
		}
	}
	for _, service := range r.stage.Services {
		if service.Name != compose.Traffic && !own[service.Name] {
			return wrong("No otel.sdk metrics have arrived from the service %s. Set OTEL_GO_X_OBSERVABILITY=true in its environment.", service.Name)
		}
	}
	return verdict{}
}

// checkFlush requires the last log record of a service, which the service writes when it stops.
func (r *round) checkFlush(service string) verdict {
	for _, record := range r.records {
		if record.Service == service && record.Message == "stopping" {
			return verdict{}
		}
	}
	if complaint := r.complaint(service); complaint != "" {
		return wrong("The telemetry of the last second is lost, because the service could not send it: %s", complaint)
	}
	return wrong("The log record \"stopping\" is lost, because the service exited before it sent the telemetry in its memory. Shut the SDK down before main returns.")
}

// checkCorrelation requires a trace ID in all log records except those of the start and the stop.
func (r *round) checkCorrelation(service string) verdict {
	all, without := 0, make(map[string]int)
	for _, record := range r.records {
		if record.Service != service || record.Message == "listening" || record.Message == "stopping" {
			continue
		}
		all++
		if record.TraceID == "" {
			without[record.Message]++
		}
	}
	switch {
	case all == 0:
		return wrong("No log records of requests have arrived.")
	case len(without) == 0:
		return verdict{}
	}
	message := slices.MaxFunc(slices.Sorted(maps.Keys(without)), func(a, b string) int { return without[a] - without[b] })
	return wrong("%d of %d log records have no trace: those with the message %q. Log with the ctx of the request: slog.InfoContext(ctx, …).", without[message], all, message)
}

func (r *round) checkLog(want declared.Log, t declared.Telemetry) verdict {
	var other []string
	found, tracked := false, make(map[string]bool)
	for _, got := range r.records {
		if got.Service != want.Service {
			continue
		}
		if got.Message != want.Message || got.Event != want.Event {
			other = append(other, got.Message)
			continue
		}
		found = true
		what := fmt.Sprintf("the record %q", want.Message)
		if got.Level != want.Level {
			return wrong("The level of the record is %s. It must be %s.", got.Level, want.Level)
		}
		if v := checkAttributes(what, got.Attributes, got.Types, want.Attributes, t); v.reason != "" {
			return v
		}
		for name := range got.Attributes {
			tracked[name] = true
		}
	}
	if !found {
		reason := "No record with this message has arrived." + nearest(want.Message, other)
		if want.Event != "" {
			reason = fmt.Sprintf("No record with the event name %q and the body %q has arrived.", want.Event, want.Message)
		}
		return verdict{reason: reason}
	}
	return neverSeen(want.Maybe, tracked)
}

// checkTenant requires that usage records, and only those, go to the tenant "usage", and that only they name users.
func (r *round) checkTenant(service string) verdict {
	users, usage := make(map[string]bool), 0
	for _, record := range r.records {
		if record.Service != service {
			continue
		}
		isUsage := record.Attributes["usage"] == "true" && record.Types["usage"] == "bool"
		switch {
		case isUsage && record.Tenant != "usage":
			return wrong("The usage record %q went to the tenant %q. Make the collector route it to the tenant \"usage\".", record.Message, record.Tenant)
		case !isUsage && record.Tenant == "usage":
			return wrong("The record %q went to the tenant \"usage\", but it is not a usage record: it has no attribute usage with the boolean value true.", record.Message)
		case isUsage:
			usage++
			users[record.Attributes["user.name"]] = true
		}
	}
	if usage == 0 {
		return wrong("No record has the attribute usage with the boolean value true.")
	}
	return r.checkNames(users)
}

// checkNames requires that none of these users is named outside usage records.
func (r *round) checkNames(users map[string]bool) verdict {
	for _, span := range r.spans {
		for name, value := range span.Attributes {
			if users[value] && span.Service != "traffic" {
				return wrong("The attribute %s of the span %q contains a user's name. Remove it: only usage records may name users.", name, span.Name)
			}
		}
	}
	for _, record := range r.records {
		for name, value := range record.Attributes {
			if users[value] && record.Tenant != "usage" && record.Service != "traffic" {
				return wrong("The attribute %s of the log record %q contains a user's name. Remove it: only usage records may name users.", name, record.Message)
			}
		}
	}
	for _, point := range r.points {
		for name, value := range point.Attributes {
			if users[value] && point.Service != "traffic" {
				return wrong("The attribute %s of the metric %s contains a user's name. Remove it: only usage records may name users.", name, point.Name)
			}
		}
	}
	return verdict{}
}

// checkAttributes requires the attributes that are always set, and the declared types and values. Other attributes are allowed.
func checkAttributes(what string, got, types map[string]string, want declared.Attributes, t declared.Telemetry) verdict {
	for _, name := range want.Always {
		if _, ok := got[name]; !ok {
			return verdict{missingAttribute(what, name, got, slices.Concat(want.Always, want.Maybe)), strconv.Quote(name)}
		}
	}
	for _, name := range slices.Concat(want.Always, want.Maybe) {
		value, ok := got[name]
		if !ok {
			continue
		}
		declared := t.Types[name]
		if wantType := cmp.Or(declared.Name, "string"); types[name] != wantType {
			return verdict{fmt.Sprintf("The attribute %s of %s is of type %s, not %s.", name, what, types[name], wantType), strconv.Quote(name)}
		}
		if len(declared.Values) > 0 && !slices.Contains(declared.Values, value) {
			return verdict{fmt.Sprintf("The attribute %s of %s is %q. Its value must be one of %s.", name, what, value, strings.Join(declared.Values, ", ")), strconv.Quote(name)}
		}
	}
	return verdict{}
}

// missingAttribute says that an attribute is missing, and names one with a similar name, if there is one.
func missingAttribute(what, name string, got map[string]string, known []string) string {
	var others []string
	for other := range got {
		if !slices.Contains(known, other) {
			others = append(others, other)
		}
	}
	return fmt.Sprintf("The attribute %s of %s is missing.%s", name, what, nearest(name, others))
}

// neverSeen finds an optional attribute of this project's own that was never set. The traffic covers all cases, so it
// should have been set at least once.
func neverSeen(maybe []string, seen map[string]bool) verdict {
	for _, name := range maybe {
		if (strings.HasPrefix(name, "die.") || strings.HasPrefix(name, "dice.")) && !seen[name] {
			return verdict{fmt.Sprintf("The attribute %s is never set, although the traffic includes cases that need it.%s", name, nearest(name, slices.Sorted(maps.Keys(seen)))), strconv.Quote(name)}
		}
	}
	return verdict{}
}

// nearest returns a sentence with the name most similar to a missing one, or "" if none is similar.
func nearest(want string, names []string) string {
	plain := strings.NewReplacer(".", "", "_", "", "-", "", " ", "", "/", "")
	best, least := "", max(2, len(want)/4)+1
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		distance := levenshtein.ComputeDistance(plain.Replace(strings.ToLower(want)), plain.Replace(strings.ToLower(name)))
		if distance < least && name != want {
			best, least = name, distance
		}
	}
	if best == "" {
		return ""
	}
	return " There is " + strconv.Quote(best) + ", which looks similar."
}

// spansOf returns the spans of a service.
func (r *round) spansOf(service string) []store.Span {
	var spans []store.Span
	for _, span := range r.spans {
		if span.Service == service {
			spans = append(spans, span)
		}
	}
	return spans
}
