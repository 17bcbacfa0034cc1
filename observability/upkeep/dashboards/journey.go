package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// journey is the dashboard about a request's path through all services.
func journey(stage int) board {
	const pages = "Page requests by route and status"
	return board{
		uid:   "journey",
		title: "Journey",
		variables: []cog.Builder[dashboard.VariableModel]{
			dashboard.NewTextBoxVariableBuilder("trace_id").Label("Trace ID").DefaultValue(dashboard.StringOrMap{String: cog.ToPtr("")}),
		},
		alerts: []alert{{"RollsUnavailable", pages}},
		rows: []row{
			{height: 8, panels: []panel{
				serviceGraph("Service graph", `Which services take part, and are they healthy? Each arrow is a call. The
					numbers in a service are its mean response time and its requests per second; the traffic generator
					has none, because nobody calls it. The ring shows how many of the calls fail. If a service is
					missing, it gets no calls, or the trace context is not passed on to it.`),
			}},
			{height: 9, panels: []panel{
				pageRequests(pages),
				spanTable("Runs slower than 900 ms", `What does a slow run look like? Each row links to a trace through
					all services: look for the longest span that has no long span below it.`,
					`{ resource.service.name = "frontend" && span:name = "POST /" && span:duration > 900ms }`+
						` | select(span:name, span.http.response.status_code)`,
					durationColumn, timeColumn, durationColumn, column{"http.response.status_code", "Status", "500"}),
				clientAndServerRate(), clientAndServerErrors(),
				clientAndServerLatency(), networkTime(),
			}},
			{height: 9, panels: []panel{runDuration(stage)}},
			{height: 10, panels: []panel{
				logPanel("Log records of one trace", `What did each service log about one request? Paste a trace ID from
					the page or from a table of traces into the field at the top; the first characters are enough.`,
					lokiSource(), `{service_namespace="dice"} | label_format wanted="$trace_id"`+
						` | wanted != "" | trace_id =~ "$trace_id.*" | drop wanted`+logLine(stage),
					common.LogsSortOrderAscending).NoValue("Enter a trace ID in the field at the top."),
			}},
		},
	}
}

func pageRequests(title string) panel {
	p := timeSeries(title, `What do users do, and what do they see? GET / opens the page (dashed), and POST / is a run.
		500 means that a die failed. 502, 503 and 504 mean that a service behind the page is broken, down or slow. A red
		band shows when the alert RollsUnavailable was firing.`,
		units.RequestsPerSecond,
		query{
			expr: sumRate(serverRequests+`_count{service_name="frontend"}`,
				"http_request_method", "http_route", "http_response_status_code"),
			legend: "{{http_request_method}} {{http_route}} {{http_response_status_code}}",
		})
	return dash(paintStatuses(p), "/^GET|sign-out/")
}

// Client and server side of the frontend's calls to the roll service.
const (
	toRoll  = `service_name="frontend",server_address="roll"`
	atRoll  = `service_name="roll"`
	asCall  = "frontend, client"
	served  = "roll, server"
	failing = `,http_response_status_code!~"1..|2..|3..|4.."`
)

// bothEnds draws the client's line, and over it the server's line, dashed.
func bothEnds(title, description, unit string, client, server query) panel {
	client.legend, server.legend = asCall, served
	p := paint(timeSeries(title, description, unit, client, server), color{asCall, "purple"}, color{served, "blue"})
	return dash(p, "/server$/")
}

func clientAndServerRate() panel {
	return bothEnds("Calls to roll: client vs server", `Do client and server count the same number of calls? If the
		client counts more, calls do not arrive. If the server counts more, there are other callers.`,
		units.RequestsPerSecond,
		query{expr: sumRate(clientRequests + "_count{" + toRoll + "}")},
		query{expr: sumRate(serverRequests + "_count{" + atRoll + "}")})
}

func clientAndServerErrors() panel {
	return bothEnds("Failed calls: client vs server", `Which side sees the failures? Both see a die that failed, and
		neither counts the user's mistakes (4xx). The services export at different times, so the lines may differ by a
		point for a moment. If only the client sees failures, the calls did not arrive, or their responses did not
		arrive in time.`,
		units.PercentUnit,
		query{expr: share(clientRequests+"_count{"+toRoll+failing+"}", clientRequests+"_count{"+toRoll+"}")},
		query{expr: share(serverRequests+"_count{"+atRoll+failing+"}", serverRequests+"_count{"+atRoll+"}")})
}

func clientAndServerLatency() panel {
	return bothEnds("p95 latency: client vs server", `Within what time do 95 % of the calls finish? The two lines are
		close together. If the client's is well above the server's, time is lost between the two: in the network, in a
		queue, or while connecting. The services export at different times, so the lines may differ for a moment. Both
		are interpolated within a bucket, so a line can be above the longest call.`,
		units.Seconds,
		query{expr: quantile(0.95, clientRequests, "{"+toRoll+"}"), exemplars: true},
		query{expr: quantile(0.95, serverRequests, "{"+atRoll+"}"), exemplars: true})
}

// meanSpan is the mean duration of the spans with this name.
func meanSpan(service, name, kind string) string {
	spans := fmt.Sprintf(`{service_name=%q,span_name%s,span_kind="SPAN_KIND_%s"}`, service, name, kind)
	return "(" + mean("traces_span_metrics_duration_seconds", spans) + ")"
}

// onTheWay is the mean duration of a call at the client, minus that at the server.
func onTheWay(client, server string) string {
	edge := fmt.Sprintf(`{client=%q,server=%q,connection_type=""}`, client, server)
	return "(" + mean("traces_service_graph_request_client_seconds", edge) + ") - (" +
		mean("traces_service_graph_request_server_seconds", edge) + ")"
}

func runDuration(stage int) panel {
	rolled := `="GET /roll"`
	if stage >= 4 {
		rolled = `=~"GET /roll|GET /roll-async"`
	}
	const lookup = `="GET /dice"`
	inRoll := meanSpan("roll", rolled, "SERVER")
	inFrontend := meanSpan("frontend", `="POST /"`, "SERVER") + " - " + meanSpan("frontend", rolled, "CLIENT")
	lookups := ""
	if stage >= 3 {
		inRoll += " - " + meanSpan("roll", lookup, "CLIENT")
		inFrontend += " - " + meanSpan("frontend", lookup, "CLIENT")
		lookups = "The lookups are those of both services, network included. "
	}
	queries := []query{
		{expr: inRoll, legend: "in roll"},
		{expr: onTheWay("frontend", "roll"), legend: "frontend to roll and back"},
		{expr: inFrontend, legend: "in frontend"},
		{expr: onTheWay("traffic", "frontend"), legend: "user to frontend and back"},
	}
	colors := []color{
		{"in roll", "blue"},
		{"frontend to roll and back", "light-blue"},
		{"in frontend", "purple"},
		{"user to frontend and back", "orange"},
	}
	if stage >= 3 {
		both := meanSpan("frontend", lookup, "CLIENT") + " + " + meanSpan("roll", lookup, "CLIENT")
		queries = append(queries, query{expr: both, legend: "lookups"})
		colors = append(colors, color{"lookups", teal})
	}
	return paint(stacked(timeSeries("Run duration by component", `Which component makes a run slow? The parts add up to
		the mean time that a user waits after pressing Run. Almost all of it should be in the roll service, which waits
		deliberately. `+lookups+
		`The network time comes from the service graph, which knows the client and server spans of each call. The other
			parts are differences between mean durations of spans.`,
		units.Seconds, queries...)), colors...)
}

func networkTime() panel {
	const legend = "frontend, client minus roll, server"
	return paint(timeSeries("Network and queueing time", `How much time is lost between the frontend and the roll
		service? The line is the mean duration of a call at the client, minus its mean duration at the server: a
		millisecond or less on one machine. If it grows while the roll service is as fast as before, check the network,
		and how busy both services are.`,
		units.Seconds, query{expr: onTheWay("frontend", "roll"), legend: legend}), color{legend, "light-blue"})
}
