package checklist

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/store"
)

// named returns the spans that a declaration is about.
func (e *evidence) named(want declared.Span) []store.Span {
	return e.spansOf(want.Service, func(s store.Span) bool { return s.Name == want.Name && s.Kind == want.Kind })
}

// checkContent requires the declared attributes and status of spans.
func (e *evidence) checkContent(want declared.Span, spans []store.Span) Verdict {
	all := make([]attributed, len(spans))
	for i, span := range spans {
		if v := checkScope("the span", span.Scope, span.Origin, want.Scope, e.want); !v.There() {
			return v.needs("otel.Tracer(", "const scope")
		}
		all[i] = attributed{span.Attributes, span.Types}
	}
	if v := checkAttributes("the span", all, want.Attributes, e.want); !v.There() {
		return v.inSpan(want)
	}
	for _, span := range spans {
		if v := checkStatus(span, want); !v.There() {
			return v
		}
	}
	return Verdict{}
}

// inSpan replaces the names of attributes that a library sets by the text that makes it do so.
func (v Verdict) inSpan(want declared.Span) Verdict {
	for i, needle := range v.Needles {
		switch name := strings.Trim(needle, `"`); {
		case want.Kind == "server" && slices.Contains([]string{"url.path", "url.query", "client.address", "error.type"}, name):
			v.Needles[i] = "httptelemetry.Server("
		case want.Kind == "server" && !strings.HasPrefix(name, "dice."):
			v.Needles[i] = "otelchi.Middleware("
		case strings.HasPrefix(name, "db."):
			v.Needles = append(v.Needles, "otelsql.Open(")
		case want.Kind == "client" && name == "url.template":
			v.Needles[i] = "semconv.URLTemplate("
		case want.Kind == "client":
			v.Needles[i] = "otelhttp.NewTransport("
		}
	}
	slices.Sort(v.Needles)
	v.Needles = slices.Compact(v.Needles)
	return v
}

// noSpan explains why there is no such span. The service had as many occasions for one.
func (e *evidence) noSpan(want declared.Span, occasions int, what string) Verdict {
	spans := e.spansOf(want.Service, func(store.Span) bool { return true })
	var names []string
	for _, span := range spans {
		isDeclared := slices.ContainsFunc(e.want.Spans, func(s declared.Span) bool {
			return s.Service == want.Service && s.Name == span.Name && s.Kind == span.Kind && s.Name != want.Name
		})
		switch {
		case span.Name == want.Name && !isDeclared:
			return wrong("The spans with this name are of the kind %s, not %s.", span.Kind, want.Kind)
		case !isDeclared:
			names = append(names, span.Name)
		}
	}
	if similar := nearest(want.Name, names); similar != "" {
		return wrong("There is no span with this name.%s", similar)
	}
	reason := fmt.Sprintf("The service had %s, but no such span.", plural(occasions, what))
	switch {
	case e.started(want.Service) > 0:
		reason += " " + neverEnded(e.started(want.Service))
	case len(spans) == 0:
		reason += " No span at all has arrived from it."
	case want.Kind == "internal":
		reason += " Start one with tracer.Start and the ctx of the request."
	default:
		reason += " It has the spans " + quotedNames(spans) + "."
	}
	return Verdict{Reason: reason}
}

// started returns how many spans of a service were started and never ended.
func (e *evidence) started(service string) int {
	n := 0.0
	for _, point := range e.pointsOf(service, "otel.sdk.span.live") {
		n += point.Value
	}
	return int(n)
}

func neverEnded(n int) string {
	return fmt.Sprintf("The service started %s that it never ended: end each with defer span.End(), right after its start.", plural(n, "span"))
}

func quotedNames(spans []store.Span) string {
	names := make(map[string]bool)
	for _, span := range spans {
		names[fmt.Sprintf("%q (%s)", span.Name, span.Kind)] = true
	}
	sorted := slices.Sorted(maps.Keys(names))
	const most = 8
	if len(sorted) > most {
		sorted = append(sorted[:most], "…")
	}
	return strings.Join(sorted, ", ")
}

// checkParents requires that the parent of each span is a declared one of the same service, in the same trace.
func (e *evidence) checkParents(want declared.Span, spans []store.Span) Verdict {
	orphans, elsewhere, unknown := 0, 0, 0
	var strangers []store.Span
	for _, span := range spans {
		parent, ok := e.byID[span.Parent]
		switch {
		case span.Parent == "" && slices.Contains(want.Parent, "none"):
		case span.Parent == "":
			orphans++
		case !ok:
			unknown++
		case parent.TraceID != span.TraceID:
			elsewhere++
		case !slices.Contains(want.Parent, parent.Name) || parent.Service != span.Service:
			strangers = append(strangers, parent)
		}
	}
	switch all := len(spans); {
	case orphans > 0:
		return wrong("%d of %d spans have no parent: the context is lost. Start the span with the ctx of the request.", orphans, all)
	case elsewhere > 0:
		return wrong("%d of %d spans have a parent in another trace. Start each span with the ctx of its own request.", elsewhere, all)
	case unknown > 0 && e.started(want.Service) > 0:
		return wrong("The parents of %d of %d spans have not arrived. %s", unknown, all, neverEnded(e.started(want.Service)))
	case unknown > 0:
		return wrong("The parents of %d of %d spans have not arrived. End each span with defer span.End(), and export all of them.", unknown, all)
	case len(strangers) > 0:
		return wrong("%d of %d spans have the wrong parent: %s. Start the span with the ctx that contains the right one.", len(strangers), all, quotedNames(strangers))
	}
	return Verdict{}
}

// checkStatus requires an error status exactly where there is an error.type.
func checkStatus(span store.Span, want declared.Span) Verdict {
	_, hasType := span.Attributes["error.type"]
	code := span.Attributes["http.response.status_code"]
	outcome := span.Attributes["dice.roll.outcome"]
	switch {
	case span.Failed && !slices.Contains(want.Status, "error"):
		return wrong("A span has an error status, but in this stage spans with this name never fail. Set the error on the span that failed.")
	case outcome == "rolled" && (span.Failed || hasType):
		return wrong("The span of a successful roll has an error status or an error.type. Set them only if the roll failed.").needs("SetStatus")
	case outcome == "canceled" && (span.Failed || hasType):
		return wrong("The span of a canceled roll has an error status or an error.type. It must have neither, because a canceled roll is not an error.").needs("SetStatus", "func failed(")
	case span.Failed && !hasType && slices.Contains(want.Maybe, "error.type"):
		v := wrong("A failed span lacks the attribute error.type.%s", nearest("error.type", slices.Collect(maps.Keys(span.Attributes))))
		if want.Kind == "internal" {
			return v.needs("semconv.ErrorType(")
		}
		return v.needs(`"error.type"`).inSpan(want)
	case outcome == "failed" && !span.Failed:
		return wrong("A roll has the outcome failed, but its span's status is not an error. Call SetStatus with codes.Error.").needs("SetStatus")
	case !span.Failed && hasType:
		return wrong("A span has the error.type %q, but its status is not an error. Call SetStatus with codes.Error.", span.Attributes["error.type"]).needs("SetStatus")
	case want.Kind == "server" && strings.HasPrefix(code, "5") && !span.Failed:
		return wrong("A span has the HTTP status code %s, but its status is not an error. Call SetStatus with codes.Error.", code)
	case want.Kind == "server" && !strings.HasPrefix(code, "5") && span.Failed:
		return wrong("A span has the HTTP status code %s, but its status is an error. Only responses with 500 and above are failures of the server.", code)
	}
	return Verdict{}
}
