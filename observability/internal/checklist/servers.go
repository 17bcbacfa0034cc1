package checklist

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/recorder"
	"example.com/dice/observability/internal/store"
)

// checkServer requires one span for each request to a route, with the parent that the request names, and with what the response was.
func (e *evidence) checkServer(want declared.Span) Verdict {
	calls := filter(e.callsTo(want.Service), func(x recorder.Exchange) bool { return nameOf(x) == want.Name })
	all := e.named(want)
	if len(all) == 0 {
		return e.noSpan(want, len(calls), "request")
	}
	if v := e.checkEachCall(want, calls, all); !v.There() {
		return v
	}
	if v := e.checkContent(want, all); !v.There() {
		return v
	}
	for _, x := range calls {
		for _, span := range e.serverSpans(x) {
			if v := checkAgainst(x, span); !v.There() {
				return v
			}
		}
	}
	return Verdict{}
}

// checkEachCall requires one span for each request.
func (e *evidence) checkEachCall(want declared.Span, calls []recorder.Exchange, all []store.Span) Verdict {
	lost := make(map[int]int) // by status
	traced := 0
	for _, x := range calls {
		if x.SpanID == "" {
			continue // the caller's item reports this
		}
		traced++
		found := e.serverSpans(x)
		switch {
		case len(found) > 1:
			return twice(found)
		case len(found) == 0:
			lost[x.Status]++
		case found[0].Name != want.Name:
			if inner := filter(e.below[found[0].ID], func(s store.Span) bool { return s.Kind == "server" && s.Service == want.Service }); len(inner) > 0 {
				return twice(append(found, inner...))
			}
			return wrong("The span of a request has the name %q.", found[0].Name)
		}
	}
	missing := 0
	for _, n := range lost {
		missing += n
	}
	roots := count(all, func(s store.Span) bool { return s.Parent == "" })
	switch {
	case missing == 0:
		return Verdict{}
	case roots >= missing/2:
		return wrong("%d of %d spans have no parent, although the requests had the header traceparent: propagation is lost. The middleware reads the header with the global propagator, which must be set first.", roots, len(all)).needs("telemetry.Start(", "otelchi.Middleware(")
	case e.started(want.Service) > 0:
		return wrong("%d of %d requests have no such span: %s. %s", missing, traced, withStatus(lost), neverEnded(e.started(want.Service)))
	}
	return wrong("%d of %d requests have no such span: %s. Spans are lost if the SDK is not shut down, if its queue is full, or if a sampler drops them.", missing, traced, withStatus(lost)).needs("flush(ctx")
}

// withStatus describes numbers of requests by status.
func withStatus(requests map[int]int) string {
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(requests)) {
		parts = append(parts, fmt.Sprintf("%d with the status %d", requests[status], status))
	}
	return list(parts)
}

func twice(spans []store.Span) Verdict {
	return wrong("A request has more than one server span: %s. Use one middleware or handler that starts them, and use it once.", quotedNames(spans)).needs("otelchi.Middleware(")
}

// checkAgainst compares a span with its request and the response.
func checkAgainst(x recorder.Exchange, span store.Span) Verdict {
	got := span.Attributes
	status := strconv.Itoa(x.Status)
	if got["http.response.status_code"] != status {
		return wrong("The attribute http.response.status_code of a span is %s, but the response was %s.", got["http.response.status_code"], status).needs("otelchi.Middleware(")
	}
	for name, want := range map[string]string{"http.request.method": x.Method, "url.path": x.Path, "http.route": x.Path} {
		if got[name] != want {
			return wrong("The attribute %s of a span is %q, but the request was %s.", name, got[name], nameOf(x)).needs(strconv.Quote(name)).inSpan(declared.Span{Kind: "server"})
		}
	}
	if x.Status >= http.StatusInternalServerError && got["error.type"] != status {
		return wrong("The error.type of a span is %q. Without an exception, it is the status code: %s.", got["error.type"], status).needs("httptelemetry.Server(")
	}
	return checkQuery(x, got["url.query"])
}

// kept are the parameters that url.query keeps.
var kept = []string{"die", "times", "identifier"}

// checkQuery requires that url.query keeps the parameters that the service knows, and no others.
func checkQuery(x recorder.Exchange, got string) Verdict {
	sent, err := url.ParseQuery(x.Query)
	if err != nil || len(sent) == 0 {
		return Verdict{}
	}
	recorded, err := url.ParseQuery(got)
	if err != nil {
		return wrong("The attribute url.query of a span is %q, which is not a query string.", got).needs("httptelemetry.Server(")
	}
	for _, name := range kept {
		if x.Server != "frontend" && sent.Has(name) && recorded.Get(name) != sent.Get(name) {
			return wrong("A request had the parameter %s=%s, but the url.query of its span is %q. Name the parameters to keep: httptelemetry.Server(%q).", name, sent.Get(name), got, name).needs("httptelemetry.Server(")
		}
	}
	if strings.Contains(got, secret) {
		return wrong("The attribute url.query of a span contains the value of the parameter token, which could be a password. Keep only the parameters that the service knows.").needs("httptelemetry.Server(")
	}
	return Verdict{}
}

// checkAccount requires as many server spans as there were requests, whatever their routes.
func (e *evidence) checkAccount(service string) Verdict {
	calls := e.callsTo(service)
	spans := e.spansOf(service, func(s store.Span) bool { return s.Kind == "server" })
	if len(spans) >= len(calls) && len(spans) <= len(calls)+e.untraced(service) {
		if v := e.checkPanic(calls); !v.There() {
			return v
		}
		return e.checkUnknown(service, spans)
	}
	requests := fmt.Sprintf("The service has %d server spans for %s.", len(spans), plural(len(calls), "request"))
	if len(spans) > len(calls) {
		return wrong("%s Start one for each request, and none for the health check.", requests).needs("otelchi.Middleware(")
	}
	return wrong("%s Requests to unknown paths need one too. Spans are lost if the SDK is not shut down, if its queue is full, or if a sampler drops them.", requests).needs("otelchi.Middleware(", "flush(ctx")
}

// checkUnknown requires of the spans of requests that no route serves what is declared.
func (e *evidence) checkUnknown(service string, spans []store.Span) Verdict {
	for _, span := range spans {
		i := slices.IndexFunc(e.want.Spans, func(s declared.Span) bool { return s.Service == service && s.Kind == span.Kind && s.Name == span.Name })
		if i < 0 && !strings.Contains(span.Name, "/") { // such as POST
			continue
		}
		if i < 0 {
			return wrong("A request that no route serves has a span with the name %q. Its name must be only the method, such as GET, because callers choose paths.", span.Name).needs("otelchi.Middleware(")
		}
		if want := e.want.Spans[i]; want.Optional {
			if v := e.checkContent(want, []store.Span{span}); !v.There() {
				return v
			}
		}
	}
	return Verdict{}
}

// checkPanic requires that the span of a request whose handler panicked shows the response.
func (e *evidence) checkPanic(calls []recorder.Exchange) Verdict {
	for _, x := range filter(calls, isPanic) {
		status := strconv.Itoa(x.Status)
		for _, span := range e.serverSpans(x) {
			if got := span.Attributes["http.response.status_code"]; got != status || !span.Failed {
				return wrong("The checker made a handler panic. The response was %s, but the span of the request has the status code %q. The first middleware is the outermost: the one that starts spans must come before the one that turns a panic into a response.", status, got).needs("otelchi.Middleware(")
			}
			if got := span.Attributes["error.type"]; got != status {
				return wrong("The checker made a handler panic. The response was %s, but the span of the request has the error.type %q. The first middleware is the outermost: httptelemetry.Server must come before the one that turns a panic into a response.", status, got).needs("httptelemetry.Server(")
			}
		}
	}
	return Verdict{}
}
