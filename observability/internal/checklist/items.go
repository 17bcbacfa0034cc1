package checklist

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"example.com/dice/observability/internal/declared"
)

// Item is one line of the checklist.
type Item struct {
	Service, Title string
	Advice         string   // says in general how such an item comes about
	Needles        []string // texts in the stage's code that add the item
	wants          string   // the declaration, because a stage may require more of an item than the previous stage
	presence       bool     // whether the item is that the service runs
	check          func(*evidence) Verdict
}

// key is equal for items of two stages that require the same.
func (i Item) key() string { return fmt.Sprintln(i.Service, i.Title, i.wants) }

// Items returns the checklist of a stage that declares this telemetry, in the order in which one builds it.
func Items(want declared.Telemetry) []Item {
	var items []Item
	for _, name := range []string{"die", "roll", "frontend"} { // callees before their callers
		if slices.ContainsFunc(want.Spans, func(s declared.Span) bool { return s.Service == name }) {
			items = append(items, itemsOf(name, want)...)
		}
	}
	if want.SDKMetrics {
		items = append(items, Item{
			Service: "all services", Title: "metrics of the SDK itself (otel.sdk)", Advice: ownMetricsAdvice, Needles: []string{"OTEL_GO_X_OBSERVABILITY"},
			check: (*evidence).checkOwnMetrics,
		})
	}
	return items
}

func itemsOf(name string, want declared.Telemetry) []Item {
	items := serviceItems(name, want)
	for _, log := range want.Logs {
		if log.Service == name && !log.Optional && log.Message != "stopping" { // "stopping" is checked with the flush
			items = append(items, Item{
				Service: name, Title: logTitle(log), wants: fmt.Sprint(log), Advice: logAdvice,
				Needles: []string{fmt.Sprintf("%q", cmp.Or(log.Event, log.Message))},
				check:   func(e *evidence) Verdict { return e.checkLog(log) },
			})
		}
	}
	items = append(items, Item{
		Service: name, Title: "at the stop, nothing is lost", Advice: flushAdvice, Needles: []string{"flush(ctx"},
		check: func(e *evidence) Verdict { return e.checkFlush(name) },
	})
	items = append(items, spanItems(name, want)...)
	items = append(items, Item{
		Service: name, Title: "log records carry the trace of their request", Advice: correlationAdvice, Needles: []string{"otelchi.Middleware("},
		check: func(e *evidence) Verdict { return e.checkCorrelation(name) },
	})
	items = append(items, metricItems(name, want)...)
	if slices.ContainsFunc(want.Logs, func(l declared.Log) bool { return l.Service == name && isUsage(l) }) {
		items = append(items, Item{
			Service: name, Title: "usage goes to its own tenant, and users are named nowhere else", Advice: tenantAdvice, Needles: []string{"usage"},
			check: func(e *evidence) Verdict { return e.checkTenant(name) },
		})
	}
	return items
}

// serviceItems returns the items that every service has.
func serviceItems(name string, want declared.Telemetry) []Item {
	return []Item{{
		Service: name, Title: "the service runs", presence: true, Advice: presenceAdvice, Needles: []string{"SERVICE: " + name},
		check: func(e *evidence) Verdict { return e.checkPresence(name) },
	}, {
		Service: name, Title: "it answers " + routes(Probes(name, want)), Advice: answersAdvice, Needles: []string{"func newRouter"},
		check: func(e *evidence) Verdict { return e.checkAnswers(name) },
	}, {
		Service: name, Title: fmt.Sprintf("telemetry arrives, from service %q", name), Advice: arrivalAdvice, Needles: []string{"telemetry.Start("},
		check: func(e *evidence) Verdict { return e.checkArrival(name) },
	}, {
		Service: name, Title: "metrics of the Go runtime", Advice: runtimeAdvice, Needles: []string{"telemetry.Start("},
		check: func(e *evidence) Verdict { return e.checkRuntime(name) },
	}}
}

func metricItems(service string, want declared.Telemetry) []Item {
	var items []Item
	for _, m := range want.Metrics {
		if slices.Contains(m.Service, service) && !m.Optional {
			items = append(items, Item{
				Service: service, Title: fmt.Sprintf("metric %s (%s)", m.Name, m.Type), wants: fmt.Sprint(m.Unit, m.Bounds, m.Attributes),
				Advice: metricAdvice, Needles: metricNeedles(m),
				check: func(e *evidence) Verdict { return e.checkMetric(service, m) },
			})
		}
	}
	return items
}

func logTitle(log declared.Log) string {
	if log.Event != "" {
		return fmt.Sprintf("event %q (%s)", log.Event, log.Level)
	}
	return fmt.Sprintf("log record %q (%s)", log.Message, log.Level)
}

func isUsage(log declared.Log) bool { return slices.Contains(log.Always, "usage") }

// spanItems returns the items for the spans of a service: server spans first, then the spans below them.
func spanItems(service string, want declared.Telemetry) []Item {
	var servers, others []Item
	for _, span := range want.Spans {
		if span.Service != service || span.Optional {
			continue
		}
		i := Item{
			Service: service, Title: fmt.Sprintf("span %q (%s), %s", span.Name, span.Kind, family(span)), wants: fmt.Sprint(span),
		}
		switch {
		case span.Kind == "server":
			i.Advice, i.Needles = serverAdvice, []string{"otelchi.Middleware("}
			i.check = func(e *evidence) Verdict { return e.checkServer(span) }
			servers = append(servers, i)
			continue
		case slices.Contains(span.Always, "db.system.name"):
			i.Advice, i.Needles = clientAdvice, []string{"otelsql.Open("}
			i.check = func(e *evidence) Verdict { return e.checkQueries(span) }
		case span.Kind == "client":
			_, route, _ := strings.Cut(span.Name, " ")
			i.Advice, i.Needles = clientAdvice, []string{fmt.Sprintf("%q", route), "otelhttp.NewTransport("}
			i.check = func(e *evidence) Verdict { return e.checkClient(span) }
		default:
			i.Advice, i.Needles = internalAdvice, []string{fmt.Sprintf("%q", span.Name)}
			i.check = func(e *evidence) Verdict { return e.checkRolls(span) }
		}
		others = append(others, i)
	}
	accounts := Item{
		Service: service, Title: "as many server spans as there were calls", Advice: accountAdvice, Needles: []string{"flush(ctx"},
		check: func(e *evidence) Verdict { return e.checkAccount(service) },
	}
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
