package checklist

import (
	"fmt"
	"slices"
	"strings"

	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/store"
)

// checkSpan requires spans with a name and a kind, each with the declared parent, attributes and status.
func (r *Run) checkSpan(want declared.Span, t declared.Telemetry) Verdict {
	var spans []store.Span
	for _, span := range r.spansOf(want.Service) {
		if span.Name == want.Name && span.Kind == want.Kind {
			spans = append(spans, span)
		}
	}
	if len(spans) == 0 {
		return r.noSpan(want, t)
	}
	if v := r.checkParents(want, spans, t); !v.There() {
		return v
	}
	seen := make(map[string]bool)
	for _, span := range spans {
		if v := checkAttributes("the span", span.Attributes, span.Types, want.Attributes, t); !v.There() {
			return v
		}
		if v := checkStatus(span, want); !v.There() {
			return v
		}
		for name := range span.Attributes {
			seen[name] = true
		}
	}
	return neverSeen(want.Maybe, seen)
}

// noSpan explains why there is no such span.
func (r *Run) noSpan(want declared.Span, t declared.Telemetry) Verdict {
	spans := r.spansOf(want.Service)
	var names []string
	for _, span := range spans {
		isDeclared := slices.ContainsFunc(t.Spans, func(s declared.Span) bool {
			return s.Service == want.Service && s.Name == span.Name && s.Kind == span.Kind && s.Name != want.Name
		})
		switch {
		case span.Name == want.Name && !isDeclared:
			return Verdict{fmt.Sprintf("The spans with this name are of the kind %s, not %s.", span.Kind, want.Kind), ""}
		case !isDeclared:
			names = append(names, span.Name)
		}
	}
	switch similar := nearest(want.Name, names); {
	case len(spans) == 0:
		return wrong("No spans have arrived from this service.")
	case similar != "":
		return wrong("There is no span with this name.%s", similar)
	case want.Kind == "internal":
		return wrong("%d requests had no such span. Start one with tracer.Start and the ctx of the request.", count(spans, func(s store.Span) bool { return s.Kind == "server" && slices.Contains(want.Parent, s.Name) }))
	}
	return wrong("There is no such span. The service has the spans %s.", quotedNames(spans))
}

func quotedNames(spans []store.Span) string {
	var names []string
	for _, span := range spans {
		names = append(names, fmt.Sprintf("%q (%s)", span.Name, span.Kind))
	}
	slices.Sort(names)
	names = slices.Compact(names)
	const most = 8
	if len(names) > most {
		names = append(names[:most], "…")
	}
	return strings.Join(names, ", ")
}

func count(spans []store.Span, has func(store.Span) bool) int {
	n := 0
	for _, span := range spans {
		if has(span) {
			n++
		}
	}
	return n
}

// checkParents requires that the parent of each span is a declared one, in the same trace.
func (r *Run) checkParents(want declared.Span, spans []store.Span, t declared.Telemetry) Verdict {
	if want.Kind == "server" {
		return r.checkCallers(want, spans, t)
	}
	byID := r.byID()
	orphans, elsewhere, unknown := 0, 0, 0
	strangers := make([]store.Span, 0)
	for _, span := range spans {
		parent, ok := byID[span.Parent]
		switch {
		case span.Parent == "" && slices.Contains(want.Parent, "none"):
		case span.Parent == "":
			orphans++
		case !ok:
			unknown++
		case parent.TraceID != span.TraceID:
			elsewhere++
		case !slices.Contains(want.Parent, parent.Name):
			strangers = append(strangers, parent)
		}
	}
	switch all := len(spans); {
	case orphans > 0:
		return wrong("%d of %d spans have no parent: the context is lost. Start the span with the ctx of the request.", orphans, all)
	case elsewhere > 0:
		return wrong("%d of %d spans have a parent in another trace. Start each span with the ctx of its own request.", elsewhere, all)
	case unknown > 0:
		return wrong("The parents of %d of %d spans have not arrived. End each span with defer span.End(), and export all of them.", unknown, all)
	case len(strangers) > 0:
		return wrong("%d of %d spans have the wrong parent: %s. Start the span with the ctx that contains the right one.", len(strangers), all, quotedNames(strangers))
	}
	return Verdict{}
}

// checkCallers requires that server spans are children of their callers' spans, if the callers have any. Probes have none.
func (r *Run) checkCallers(want declared.Span, spans []store.Span, t declared.Telemetry) Verdict {
	byID := r.byID()
	orphans := 0
	for _, span := range spans {
		if byID[span.Parent].ID == "" {
			orphans++
		}
	}
	if orphans < len(spans)/2 || slices.Contains(want.Parent, "none") {
		return Verdict{}
	}
	calls := r.calls(want, t)
	if calls == 0 {
		return Verdict{} // the caller's own item reports this
	}
	return wrong("%d of %d spans have no parent, although the callers have %d client spans: propagation is lost. The caller must send the header traceparent, and the server must read it.", orphans, len(spans), calls)
}

// calls counts the client spans of the callers of a server span.
func (r *Run) calls(want declared.Span, t declared.Telemetry) int {
	return count(r.Spans, func(span store.Span) bool {
		return span.Kind == "client" && span.Service != want.Service && slices.Contains(want.Parent, span.Name) && calls(t, span.Service, want.Service)
	})
}

func calls(t declared.Telemetry, client, server string) bool {
	return slices.ContainsFunc(t.Calls, func(c declared.Call) bool { return c.Client == client && c.Server == server })
}

// checkAccount requires a server span for each client span that got a response. If there are no client spans, the callers' own items
// report it.
func (r *Run) checkAccount(server string, t declared.Telemetry) Verdict {
	served := make(map[string]bool)
	for _, span := range r.spansOf(server) {
		served[span.Parent] = true
	}
	sent, lost := 0, 0
	for _, span := range r.Spans {
		if span.Kind != "client" || !calls(t, span.Service, server) || r.other(span, server) || span.Attributes["http.response.status_code"] == "" {
			continue
		}
		sent++
		if !served[span.ID] {
			lost++
		}
	}
	if lost > 0 {
		return wrong("%d of %d calls have no server span. Spans are lost if the SDK is not shut down, if its queue is full, or if a sampler drops them.", lost, sent)
	}
	return Verdict{}
}

// other reports whether a client span is a call to another server.
func (r *Run) other(span store.Span, server string) bool {
	return span.Attributes["server.port"] != r.service(server).Port
}

// checkStatus requires an error status exactly where there is an error.type.
func checkStatus(span store.Span, want declared.Span) Verdict {
	_, hasType := span.Attributes["error.type"]
	code := span.Attributes["http.response.status_code"]
	switch {
	case span.Failed && !slices.Contains(want.Status, "error"):
		return wrong("A span has an error status, but in this stage spans with this name never fail. Set the error on the span that failed.")
	case span.Failed && !hasType && slices.Contains(want.Maybe, "error.type"):
		return Verdict{"A failed span lacks the attribute error.type." + nearest("error.type", keys(span.Attributes)), "semconv.ErrorType("}
	case !span.Failed && hasType && span.Attributes["dice.roll.outcome"] != "canceled":
		return wrong("A span has the error.type %q, but its status is not an error. Call SetStatus with codes.Error.", span.Attributes["error.type"])
	case want.Kind == "server" && strings.HasPrefix(code, "5") && !span.Failed:
		return wrong("A span has the HTTP status code %s, but its status is not an error. Call SetStatus with codes.Error.", code)
	case span.Attributes["dice.roll.outcome"] == "failed" && !span.Failed:
		return Verdict{"A roll has the outcome failed, but its span's status is not an error. Call SetStatus with codes.Error.", "SetStatus"}
	case span.Attributes["dice.roll.outcome"] == "canceled" && (span.Failed || hasType):
		return wrong("The span of a canceled roll has an error status or an error.type. It must have neither, because a canceled roll is not an error.")
	}
	return Verdict{}
}

func keys(m map[string]string) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	return names
}
