package doctor

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"example.com/dice/observability/internal/lineage"
)

// The flags of a span that say whether its parent is of another process, from opentelemetry-proto's SpanFlags.
const (
	hasRemote = 0x100
	isRemote  = 0x200
)

// facts are what rules want to know of a span's attributes.
type facts struct {
	method    string
	route     bool
	status    int64
	errorType string
	exception bool // it has exception.type or exception.message
	port      int64
	http, rpc bool
	callee    bool // it says what it calls
}

// callees are namespaces of attributes that say what a client calls.
var callees = []string{
	"http.", "url.", "db.", "rpc.", "messaging.", "server.", "net.", "network.", "peer.", "service.peer", "faas.", "aws.", "azure.", "gcp.", "gen_ai.",
	"graphql.", "dns.", "ldap.", "smtp.", "elasticsearch.", "redis.",
}

func (f *facts) add(key string, value pcommon.Value) {
	switch key {
	case "http.request.method", "http.method":
		f.http, f.method = true, value.AsString()
	case "http.route":
		f.route = true
	case "http.response.status_code", "http.status_code":
		f.status = integer(value)
	case "error.type":
		f.errorType = value.AsString()
	case "exception.type", "exception.message":
		f.exception = true
	case "server.port", "net.host.port", "net.peer.port":
		f.port = integer(value)
	case "rpc.system", "rpc.system.name":
		f.rpc = true
	}
	for _, namespace := range callees {
		f.callee = f.callee || strings.HasPrefix(key, namespace)
	}
}

func integer(value pcommon.Value) int64 {
	if value.Type() == pcommon.ValueTypeInt {
		return value.Int()
	}
	number, _ := strconv.ParseInt(text(value), 10, 64) // 0 if it is none
	return number
}

// span judges a span that is new.
func (j *Judge) span(p *process, in scope, span ptrace.Span, now time.Time) {
	s := p.service
	j.score.Span(s.name, span)
	var f facts
	for key, value := range span.Attributes().All() {
		f.add(key, value)
		j.attribute(s, in, "span", key, value, span.TraceID())
	}
	if span.Kind() == ptrace.SpanKindServer && f.http {
		s.httpSpans++
	}
	local := span.Flags()&(hasRemote|isRemote) == hasRemote // older SDKs do not say
	j.refer(lineage.Child, s, span.Name(), local, span.TraceID(), span.ParentSpanID(), now)
	j.names(s, span)
	j.server(s, span, f)
	j.failure(s, span, f)
	j.losses(s, in, span)
	if span.Kind() == ptrace.SpanKindClient && !f.callee && !in.library {
		j.findSpan("client-no-callee", s, span.Name(), span.TraceID(), "")
	}
	j.place(p, span)
	j.window.addSpan(spanOf{span, p, span.Kind() == ptrace.SpanKindClient && (f.http || f.rpc), f.method, f.port}, now)
}

// place notes where a span is in time, to find out later what belongs together.
func (j *Judge) place(p *process, span ptrace.Span) {
	switch {
	case span.Kind() == ptrace.SpanKindServer:
		p.servers.add(intervalOf(span))
	case span.ParentSpanID().IsEmpty() && (span.Kind() == ptrace.SpanKindInternal || span.Kind() == ptrace.SpanKindClient):
		p.add(group{"span", span.Name()}, intervalOf(span))
	}
}

func (p *process) add(of group, at interval) {
	events := p.loose[of]
	if events == nil {
		if len(p.loose) >= mostGroups {
			return
		}
		events = new(ring[interval])
		p.loose[of] = events
	}
	events.add(at)
}

// server judges the route and the name of a server span.
func (j *Judge) server(s *service, span ptrace.Span, f facts) {
	if span.Kind() != ptrace.SpanKindServer || !f.http || f.rpc {
		return
	}
	name := span.Name()
	switch {
	case !f.route && f.status >= 200 && f.status < 300 && f.method != "OPTIONS" && !strings.HasPrefix(name, f.method+" /"):
		j.findSpan("server-no-route", s, name, span.TraceID(), "")
	case f.route && (name == f.method || name == "HTTP" || name == "HTTP "+f.method):
		j.findSpan("server-method-name", s, name, span.TraceID(), "")
	}
}

// failure judges what a span says about an error.
func (j *Judge) failure(s *service, span ptrace.Span, f facts) {
	server := span.Kind() == ptrace.SpanKindServer
	clientMistake := server && f.status >= 400 && f.status < 500
	message := span.Status().Message()
	canceled := strings.Contains(message, "context canceled") || f.errorType == "context.Canceled" || f.errorType == "context canceled"
	switch span.Status().Code() {
	case ptrace.StatusCodeError:
		switch {
		case clientMistake:
			j.findSpan("status-4xx", s, span.Name(), span.TraceID(), fmt.Sprintf("status code %d", f.status))
		case canceled && span.Kind() != ptrace.SpanKindClient:
			j.findSpan("canceled-error", s, span.Name(), span.TraceID(), message)
		case f.errorType == "" && !f.exception && !f.rpc && f.status < 400 && !hasException(span): // a status code is a type, too
			j.findSpan("error-no-type", s, span.Name(), span.TraceID(), message)
		}
	case ptrace.StatusCodeUnset:
		failed := server && f.status >= 500 || span.Kind() == ptrace.SpanKindClient && f.http && f.status >= 400
		if failed || f.errorType != "" && !clientMistake && !canceled && !f.rpc {
			detail := "error.type " + f.errorType
			if failed {
				detail = fmt.Sprintf("status code %d", f.status)
			}
			j.findSpan("error-no-status", s, span.Name(), span.TraceID(), detail)
		}
	default: // Ok is the code's own verdict
	}
}

func hasException(span ptrace.Span) bool {
	for _, event := range span.Events().All() {
		if _, ok := event.Attributes().Get("exception.type"); ok {
			return true
		}
	}
	return false
}

// losses judges what the SDK dropped, and span events.
func (j *Judge) losses(s *service, in scope, span ptrace.Span) {
	if a, e, l := span.DroppedAttributesCount(), span.DroppedEventsCount(), span.DroppedLinksCount(); a+e+l > 0 {
		j.findSpan("span-dropped", s, span.Name(), span.TraceID(), fmt.Sprintf("%d attributes, %d events, %d links", a, e, l))
	}
	for i, event := range span.Events().All() {
		if event.Name() == "exception" && !in.library {
			j.findSpan("exception-event", s, span.Name(), span.TraceID(), "")
		}
		if i >= 100 {
			break
		}
		for key, value := range event.Attributes().All() {
			j.attribute(s, scope{library: true, name: in.name}, "span event", key, value, span.TraceID())
		}
	}
}

// names counts the names of a service's spans.
type names struct {
	shapes   shapes
	distinct map[string]struct{}
	total    int
}

const (
	growingNames = 50
	fewNames     = 2  // that differ in an id
	fewNumbers   = 3  // that differ in a number that is part of a path
	manyNumbers  = 20 // that differ in another number: there may be a few numbered workers
)

// names judges the name of a span.
func (j *Judge) names(s *service, span ptrace.Span) {
	name := span.Name()
	s.names.total++
	if s.names.distinct == nil {
		s.names.distinct = make(map[string]struct{})
	}
	if len(s.names.distinct) < growingNames {
		s.names.distinct[name] = struct{}{}
	} else if len(s.names.distinct) >= growingNames && s.names.total <= 2*growingNames {
		j.findOnce("span-names-grow", s, Evidence{
			What: "service", Name: s.name, Detail: fmt.Sprintf("%d names of %d spans, such as %q", growingNames, s.names.total, name), Trace: span.TraceID().String(),
		})
	}
	count := s.names.shapes.add(name)
	if count == nil {
		return
	}
	of, _ := shape(name)
	n, few := len(count.distinct), manyNumbers
	if count.form == ids {
		few = fewNames
	} else if strings.Contains(of, "/{number}") {
		few = fewNumbers
	}
	if n >= few && (n >= mostDistinct || 3*n >= count.total) {
		j.findSpan("span-name-id", s, of, span.TraceID(), fmt.Sprintf("%q and %q", count.example, name))
	}
}

// findOnce notes a finding unless it is known.
func (j *Judge) findOnce(rule string, s *service, evidence Evidence) {
	if !j.known(rule, s.name, evidence) {
		j.find(rule, s.name, evidence)
	}
}
