package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/declared"
)

// kind is the kind of an item. It selects the general advice of the first hint.
type kind int

const (
	presence kind = iota
	answers
	arrival
	runtimeMetrics
	logRecord
	flushing
	serverSpan
	clientSpan
	internalSpan
	account
	correlation
	metric
	ownMetrics
	tenant
)

// item is one line of the checklist.
type item struct {
	kind           kind
	service, title string
	wants          string   // the declaration, because a stage may require more of an item than the previous stage
	needles        []string // texts in the stage's code that add the item; hints show the first one found
	check          func(*round) verdict
}

// key is equal for items of two stages that require the same.
func (i item) key() string { return fmt.Sprintln(i.service, i.title, i.wants) }

// verdict says why an item is missing. The zero value means that it is there.
type verdict struct {
	reason string
	needle string // text in the stage's code that adds the missing part, if only a part of the item is missing
}

func wrong(format string, values ...any) verdict {
	return verdict{reason: fmt.Sprintf(format, values...)}
}

// newChecklist returns the items of a stage's services, except for the traffic generator, in the order in which one builds them.
func newChecklist(stage *compose.Stage, want declared.Telemetry) []item {
	var items []item
	for _, name := range []string{"die", "roll", "frontend"} { // callees before their callers
		if service := stage.Service(name); service != nil {
			items = append(items, itemsOf(*service, want)...)
		}
	}
	if slices.Contains(stage.Service("roll").Environment, "OTEL_GO_X_OBSERVABILITY=true") {
		items = append(items, item{ownMetrics, "all services", "metrics of the SDK itself (otel.sdk)", "", []string{"OTEL_GO_X_OBSERVABILITY"}, func(r *round) verdict { return r.checkOwnMetrics() }})
	}
	return items
}

func itemsOf(service compose.Service, want declared.Telemetry) []item {
	name := service.Name
	items := []item{
		{presence, name, "the service runs", "", []string{"SERVICE: " + name}, func(r *round) verdict { return r.checkPresence(name) }},
		{answers, name, "it answers " + routes(probes(name, want)), "", []string{"func newRouter"}, func(r *round) verdict { return r.checkAnswers(name) }},
		{arrival, name, fmt.Sprintf("telemetry arrives, from service %q", name), "", []string{"telemetry.Start("}, func(r *round) verdict { return r.checkArrival(name, want) }},
		{runtimeMetrics, name, "metrics of the Go runtime", "", []string{"telemetry.Start("}, func(r *round) verdict { return r.checkRuntime(name, want) }},
	}
	for _, log := range want.Logs {
		if log.Service != name || log.Optional || log.Message == "stopping" { // "stopping" is checked with the flush
			continue
		}
		needle := fmt.Sprintf("%q", cmp.Or(log.Event, log.Message))
		items = append(items, item{logRecord, name, logTitle(log), fmt.Sprint(log), []string{needle}, func(r *round) verdict { return r.checkLog(log, want) }})
	}
	items = append(items, item{flushing, name, "at the stop, nothing is lost", "", []string{"flush(ctx)"}, func(r *round) verdict { return r.checkFlush(name) }})
	items = append(items, spanItems(name, want)...)
	items = append(items, item{correlation, name, "log records carry the trace of their request", "", []string{"otelchi.Middleware("}, func(r *round) verdict { return r.checkCorrelation(name) }})
	for _, m := range want.Metrics {
		if slices.Contains(m.Service, name) && !m.Optional {
			items = append(items, item{metric, name, fmt.Sprintf("metric %s (%s)", m.Name, m.Type), fmt.Sprint(m.Unit, m.Bounds, m.Attributes), metricNeedles(m), func(r *round) verdict { return r.checkMetric(name, m, want) }})
		}
	}
	if slices.ContainsFunc(want.Logs, func(l declared.Log) bool { return l.Service == name && isUsage(l) }) {
		items = append(items, item{tenant, name, "usage goes to its own tenant, and users are named nowhere else", "", []string{"usage"}, func(r *round) verdict { return r.checkTenant(name) }})
	}
	return items
}

// routes lists the paths of requests, except for nowhere.
func routes(requests []request) string {
	var paths []string
	for _, r := range requests {
		if path := r.route(); path != nowhere && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return strings.Join(paths, " and ")
}

func logTitle(log declared.Log) string {
	if log.Event != "" {
		return fmt.Sprintf("event %q (%s)", log.Event, log.Level)
	}
	return fmt.Sprintf("log record %q (%s)", log.Message, log.Level)
}

func isUsage(log declared.Log) bool { return slices.Contains(log.Always, "usage") }

// spanItems returns the items for the spans of a service: server spans first, then the spans below them.
func spanItems(service string, want declared.Telemetry) []item {
	var servers, others []item
	for _, span := range want.Spans {
		if span.Service != service || span.Optional {
			continue
		}
		title := fmt.Sprintf("span %q (%s), %s", span.Name, span.Kind, family(span))
		i := item{internalSpan, service, title, fmt.Sprint(span), []string{fmt.Sprintf("%q", span.Name)}, func(r *round) verdict { return r.checkSpan(span, want) }}
		switch span.Kind {
		case "server":
			i.kind, i.needles = serverSpan, []string{"otelchi.Middleware("}
			servers = append(servers, i)
		case "client":
			i.kind, i.needles = clientSpan, []string{"otelhttp.NewTransport("}
			if slices.Contains(span.Always, "db.system.name") {
				i.needles = []string{"otelsql.Open("}
			}
			others = append(others, i)
		default:
			others = append(others, i)
		}
	}
	accounts := item{account, service, "as many server spans as there were calls", "", []string{"flush(ctx)"}, func(r *round) verdict { return r.checkAccount(service, want) }}
	return append(slices.Concat(servers, others), accounts)
}

// family describes the parent of a span.
func family(span declared.Span) string {
	switch {
	case span.Kind == "server" && slices.Contains(span.Parent, "none") && len(span.Parent) == 1:
		return "the root of its trace"
	case span.Kind == "server":
		return "child of the caller's span"
	}
	quoted := make([]string, len(span.Parent))
	for i, parent := range span.Parent {
		quoted[i] = fmt.Sprintf("%q", parent)
	}
	return "child of " + strings.Join(quoted, " or ")
}

// metricNeedles returns the texts in the stage's code that create a metric.
func metricNeedles(m declared.Metric) []string {
	needles := []string{fmt.Sprintf("%q", m.Name)}
	switch {
	case strings.HasSuffix(m.Scope, "/httptelemetry"):
		needles = append(needles, "httptelemetry.Server(")
	case strings.HasSuffix(m.Scope, "/otelhttp"):
		needles = append(needles, "otelhttp.NewTransport(")
	case m.Name == "db.client.operation.duration":
		needles = append(needles, "otelsql.Open(")
	case strings.HasSuffix(m.Scope, "/otelsql"):
		needles = append(needles, "otelsql.RegisterDBStatsMetrics(")
	}
	return needles
}
