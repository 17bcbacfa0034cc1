package main

import (
	"fmt"
	"slices"
	"strings"

	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/store"
)

// checkSpan wants spans with a name and kind, each with its parent, attributes and status.
func (r *round) checkSpan(want declared.Span, t declared.Telemetry) verdict {
	var spans []store.Span
	for _, span := range r.spansOf(want.Service) {
		if span.Name == want.Name && span.Kind == want.Kind {
			spans = append(spans, span)
		}
	}
	if len(spans) == 0 {
		return r.noSpan(want, t)
	}
	if v := r.checkParents(want, spans, t); v.reason != "" {
		return v
	}
	seen := make(map[string]bool)
	for _, span := range spans {
		if v := checkAttributes("the span", span.Attributes, span.Types, want.Attributes, t); v.reason != "" {
			return v
		}
		if v := checkStatus(span, want); v.reason != "" {
			return v
		}
		for name := range span.Attributes {
			seen[name] = true
		}
	}
	return neverSeen(want.Maybe, seen)
}

// noSpan says why there is no such span.
func (r *round) noSpan(want declared.Span, t declared.Telemetry) verdict {
	spans := r.spansOf(want.Service)
	var names []string
	for _, span := range spans {
		isDeclared := slices.ContainsFunc(t.Spans, func(s declared.Span) bool {
			return s.Service == want.Service && s.Name == span.Name && s.Kind == span.Kind && s.Name != want.Name
		})
		switch {
		case span.Name == want.Name && !isDeclared:
			return verdict{fmt.Sprintf("There are such spans, but of the kind %s, not %s.", span.Kind, want.Kind), ""}
		case !isDeclared:
			names = append(names, span.Name)
		}
	}
	switch similar := nearest(want.Name, names); {
	case len(spans) == 0:
		return wrong("No span of the service has arrived.")
	case similar != "":
		return wrong("There is no span with this name.%s", similar)
	case want.Kind == "internal":
		return wrong("%d requests had none.", count(spans, func(s store.Span) bool { return s.Kind == "server" && slices.Contains(want.Parent, s.Name) }))
	}
	return wrong("There is none. The spans of the service are: %s.", quotedNames(spans))
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

// checkParents wants each span to have one of the parents that are declared, in the same trace.
func (r *round) checkParents(want declared.Span, spans []store.Span, t declared.Telemetry) verdict {
	if want.Kind == "server" {
		return r.checkCallers(want, spans, t)
	}
	orphans, elsewhere, unknown := 0, 0, 0
	strangers := make([]store.Span, 0)
	for _, span := range spans {
		parent, ok := r.byID[span.Parent]
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
		return wrong("%d of %d have no parent: the context is lost on the way. Start the span with the ctx of the request.", orphans, all)
	case elsewhere > 0:
		return wrong("%d of %d have a parent in another trace.", elsewhere, all)
	case unknown > 0:
		return wrong("The parents of %d of %d have not arrived: they were never ended, or not exported.", unknown, all)
	case len(strangers) > 0:
		return wrong("The parent of %d of %d is another one: %s.", len(strangers), all, quotedNames(strangers))
	}
	return verdict{}
}

// checkCallers wants the spans of a server to be children of their callers' spans, if the callers make any. A probe makes none.
func (r *round) checkCallers(want declared.Span, spans []store.Span, t declared.Telemetry) verdict {
	orphans := 0
	for _, span := range spans {
		if r.byID[span.Parent].ID == "" {
			orphans++
		}
	}
	if orphans < len(spans)/2 || slices.Contains(want.Parent, "none") {
		return verdict{}
	}
	calls := r.calls(want, t)
	if calls == 0 {
		return verdict{} // the item of the caller says so
	}
	return wrong("%d of %d have no parent, although the callers made %d client spans: propagation is lost. The header traceparent was not sent, or the server did not read it.", orphans, len(spans), calls)
}

// calls counts the client spans of those that call a server's span.
func (r *round) calls(want declared.Span, t declared.Telemetry) int {
	return count(r.spans, func(span store.Span) bool {
		return span.Kind == "client" && span.Service != want.Service && slices.Contains(want.Parent, span.Name) && calls(t, span.Service, want.Service)
	})
}

func calls(t declared.Telemetry, client, server string) bool {
	return slices.ContainsFunc(t.Calls, func(c declared.Call) bool { return c.Client == client && c.Server == server })
}

// checkAccount wants a span of the server for each of its callers' spans that have an answer. If there are none, the items of the
// callers say so.
func (r *round) checkAccount(server string, t declared.Telemetry) verdict {
	served := make(map[string]bool)
	for _, span := range r.spansOf(server) {
		served[span.Parent] = true
	}
	sent, lost := 0, 0
	for _, span := range r.spans {
		if span.Kind != "client" || !calls(t, span.Service, server) || r.other(span, server) || span.Attributes["http.response.status_code"] == "" {
			continue
		}
		sent++
		if !served[span.ID] {
			lost++
		}
	}
	if lost > 0 {
		return wrong("%d of %d calls have no span of the server. Spans are lost at the stop, in a full queue, or to a sampler.", lost, sent)
	}
	return verdict{}
}

// other reports whether a client's span is a call of another service.
func (r *round) other(span store.Span, server string) bool {
	_, port, _ := strings.Cut(r.stage.Service(server).Port.Address(), ":")
	return span.Attributes["server.port"] != port
}

// checkStatus wants an error status where there is an error.type, and nowhere else.
func checkStatus(span store.Span, want declared.Span) verdict {
	_, hasType := span.Attributes["error.type"]
	code := span.Attributes["http.response.status_code"]
	switch {
	case span.Failed && !slices.Contains(want.Status, "error"):
		return wrong("A span has an error status, and must not.")
	case span.Failed && !hasType && slices.Contains(want.Maybe, "error.type"):
		return verdict{"A failed span has no error.type." + nearest("error.type", keys(span.Attributes)), "errorType("}
	case !span.Failed && hasType && span.Attributes["dice.roll.outcome"] != "canceled":
		return wrong("A span has the error.type %q, but its status is not an error.", span.Attributes["error.type"])
	case want.Kind == "server" && strings.HasPrefix(code, "5") && !span.Failed:
		return wrong("A span has the status code %s, but its status is not an error.", code)
	case span.Attributes["dice.roll.outcome"] == "failed" && !span.Failed:
		return verdict{"A roll has the outcome failed, but the status of its span is not an error.", "SetStatus"}
	case span.Attributes["dice.roll.outcome"] == "canceled" && (span.Failed || hasType):
		return wrong("A canceled roll is no error, but its span has an error status or an error.type.")
	}
	return verdict{}
}

func keys(m map[string]string) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	return names
}
