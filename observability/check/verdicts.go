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

// checkPresence wants the service to be built and to run.
func (r *round) checkPresence(service string) verdict {
	if reason, ok := r.missing[service]; ok {
		return verdict{reason: reason}
	}
	if r.failure != nil && !r.blames(service) {
		return verdict{}
	}
	if r.failure != nil {
		return verdict{reason: r.failure.Error()}
	}
	return verdict{}
}

// blames reports whether the failure names this service, or none.
func (r *round) blames(service string) bool {
	for _, other := range r.stage.Services {
		if other.Name != service && strings.Contains(r.failure.Error(), other.Name+" ") && !strings.Contains(r.failure.Error(), service+" ") {
			return false
		}
	}
	return true
}

func (r *round) checkAnswers(service string) verdict { return r.answers[service] }

// checkArrival wants anything at all from a service, with the whole resource.
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

// resource returns the resource of the first signal of a service that has arrived.
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

// nothing says why no telemetry of a service has arrived.
func (r *round) nothing(service string) verdict {
	for _, other := range r.services() {
		if strings.HasPrefix(other, "unknown_service") || levenshtein.ComputeDistance(strings.ToLower(other), service) <= 2 && r.stage.Service(other) == nil {
			return wrong("Telemetry arrives from service %q. The name must be %q.", other, service)
		}
	}
	if complaint := r.complaint(service); complaint != "" {
		return wrong("The service tried to send, and could not: %s\nWrong endpoint or protocol? The collector listens for OTLP over gRPC at the address in OTEL_EXPORTER_OTLP_ENDPOINT.", complaint)
	}
	return wrong("Nothing has arrived, and the service did not report a failed export. Is the SDK started, and are its exporters?")
}

// services returns the names of all services that have sent something.
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
		return wrong("No metric of the service has arrived. Is there a meter provider with a reader?")
	}
	for _, m := range want.Metrics {
		if strings.HasPrefix(m.Name, "go.") && !m.Optional && !seen[m.Name] {
			return wrong("There is no %s. The package contrib/instrumentation/runtime records it, once its Start has been called.", m.Name)
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
			return wrong("The service %s has no metric otel.sdk.*. The SDK makes them if OTEL_GO_X_OBSERVABILITY is true.", service.Name)
		}
	}
	return verdict{}
}

// checkFlush wants the last log record of a service, which it writes while it stops.
func (r *round) checkFlush(service string) verdict {
	for _, record := range r.records {
		if record.Service == service && record.Message == "stopping" {
			return verdict{}
		}
	}
	if complaint := r.complaint(service); complaint != "" {
		return wrong("The last second is lost, because the service could not send it: %s", complaint)
	}
	return wrong("The log record \"stopping\" is lost: what was in memory when the service exited was not sent. Is the SDK shut down at the end?")
}

// checkCorrelation wants a trace in all log records but those of the start and the stop.
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
		return wrong("No log record of a request has arrived.")
	case len(without) == 0:
		return verdict{}
	}
	message := slices.MaxFunc(slices.Sorted(maps.Keys(without)), func(a, b string) int { return without[a] - without[b] })
	return wrong("%d of %d log records %q have no trace. Pass the request's ctx on, and log with it: slog.InfoContext(ctx, …).", without[message], all, message)
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
			return wrong("Its level is %s, not %s.", got.Level, want.Level)
		}
		if v := checkAttributes(what, got.Attributes, got.Types, want.Attributes, t); v.reason != "" {
			return v
		}
		for name := range got.Attributes {
			tracked[name] = true
		}
	}
	if !found {
		reason := "No such record has arrived." + nearest(want.Message, other)
		if want.Event != "" {
			reason = fmt.Sprintf("No record with the event name %q and the body %q has arrived.", want.Event, want.Message)
		}
		return verdict{reason: reason}
	}
	return neverSeen(want.Maybe, tracked)
}

// checkTenant wants usage at its tenant, all else at the other, and users' names in usage only.
func (r *round) checkTenant(service string) verdict {
	users, usage := make(map[string]bool), 0
	for _, record := range r.records {
		if record.Service != service {
			continue
		}
		isUsage := record.Attributes["usage"] == "true" && record.Types["usage"] == "bool"
		switch {
		case isUsage && record.Tenant != "usage":
			return wrong("A record of usage (%q) went to the tenant %q. The collector's routing must send it to \"usage\".", record.Message, record.Tenant)
		case !isUsage && record.Tenant == "usage":
			return wrong("The record %q went to the tenant \"usage\", and its attribute usage is not the boolean true.", record.Message)
		case isUsage:
			usage++
			users[record.Attributes["user.name"]] = true
		}
	}
	if usage == 0 {
		return wrong("No record has the attribute usage=true, as a boolean.")
	}
	return r.checkNames(users)
}

// checkNames wants none of these names in an attribute of anything but usage.
func (r *round) checkNames(users map[string]bool) verdict {
	for _, span := range r.spans {
		for name, value := range span.Attributes {
			if users[value] && span.Service != "traffic" {
				return wrong("The attribute %s of the span %q names a user.", name, span.Name)
			}
		}
	}
	for _, record := range r.records {
		for name, value := range record.Attributes {
			if users[value] && record.Tenant != "usage" && record.Service != "traffic" {
				return wrong("The attribute %s of the log record %q names a user.", name, record.Message)
			}
		}
	}
	for _, point := range r.points {
		for name, value := range point.Attributes {
			if users[value] && point.Service != "traffic" {
				return wrong("The attribute %s of the metric %s names a user.", name, point.Name)
			}
		}
	}
	return verdict{}
}

// checkAttributes wants the attributes that are always there, with the declared types and values. Others are the learner's own.
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
			return verdict{fmt.Sprintf("The attribute %s of %s is %q. Its values are %s.", name, what, value, strings.Join(declared.Values, ", ")), strconv.Quote(name)}
		}
	}
	return verdict{}
}

// missingAttribute says that an attribute is missing, and which one may be meant for it.
func missingAttribute(what, name string, got map[string]string, known []string) string {
	var others []string
	for other := range got {
		if !slices.Contains(known, other) {
			others = append(others, other)
		}
	}
	return fmt.Sprintf("The attribute %s of %s is missing.%s", name, what, nearest(name, others))
}

// neverSeen finds an attribute of the project's own that some should have, and none has.
func neverSeen(maybe []string, seen map[string]bool) verdict {
	for _, name := range maybe {
		if (strings.HasPrefix(name, "die.") || strings.HasPrefix(name, "dice.")) && !seen[name] {
			return verdict{fmt.Sprintf("None has the attribute %s.%s", name, nearest(name, slices.Sorted(maps.Keys(seen)))), strconv.Quote(name)}
		}
	}
	return verdict{}
}

// nearest returns a sentence about the name that looks most like the one that is missing, or "" if none does.
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
	return " There is " + strconv.Quote(best) + "."
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
