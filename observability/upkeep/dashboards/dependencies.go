package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// dependencies is the dashboard about the calls between services.
func dependencies(stage int) board {
	const errors = "Error rate: client vs server"
	return board{
		uid:    "dependencies",
		title:  "Dependencies",
		alerts: []alert{{"RollsUnavailable", errors}},
		rows: []row{
			{height: 9, panels: []panel{callRate(), callErrors(stage, errors)}},
			{height: 9, panels: []panel{
				callLatency("p95 latency at the client", `How long do clients wait? 95 % of the calls finish within this
					time. Compare with the panel on the right, which shows the same calls at the server. The axis is
					logarithmic, because a lookup takes a thousandth of a roll. The value is interpolated within a
					bucket, so it can be above the longest call.`, "client"),
				callLatency("p95 latency at the server", `How long do services take? 95 % of the requests finish within
					this time. If calls are fast here and slow on the left, time is lost between the two: in the
					network, while connecting, or in a queue.`, "server"),
				callNetwork(), rollDuration(stage),
				retries(), lookups(),
			}},
			{height: 9, panels: []panel{
				spanTable("Recent errors", `Where did a failure begin? Each row is a span whose error is not just an
					HTTP status: a failed die, a call without a response, or a failed query. The spans above it in the
					trace only pass the failure on. Failures in a service's own code are in the log below.`,
					`{ resource.service.name != "" && span:status = error && span.error.type !~ "^[45]..$" }`+
						` | select(span:name, span.error.type)`,
					timeColumn, timeColumn, serviceColumn, spanColumn("Span", "GET /roll-async"), durationColumn,
					column{"error.type", "Error", "context.deadlineExceededError"}),
			}},
			{height: 10, panels: []panel{
				logPanel("Warnings and errors", `What warnings and errors do the services log? An error is logged once,
					by the service that handled it. Click a record to see the link to its trace.`,
					lokiSource(), `{service_namespace="dice"} | detected_level=~"warn|error"`+logLine(stage), common.LogsSortOrderDescending),
			}},
		},
	}
}

const edges = `{connection_type=""}` // without unanswered calls and database queries

func callRate() panel {
	const received = ", received"
	p := timeSeries("Call rate: sent vs received", `Which service calls which, and do the calls arrive? Clients count
		the calls that they send. The service graph counts those with a client and a server span: dashed, in the same
		color, and hidden while both agree. The page asks for the dice twice per roll, the roll service once. If fewer
		calls arrive than were sent, check the called service and the network. If services sample traces
		(OTEL_TRACES_SAMPLER), the numbers differ too, because the graph counts only sampled calls.`,
		units.RequestsPerSecond,
		query{
			expr:   sumRate(clientRequests+"_count", "service_name", "server_address"),
			legend: "{{service_name}} → {{server_address}}",
		},
		query{
			expr:   sumRate("traces_service_graph_request_total"+edges, "client", "server"),
			legend: "{{client}} → {{server}}" + received,
		})
	return unlisted(dash(paint(p, append(calls(""), calls(received)...)...), "/received$/"), "/received$/")
}

func callErrors(stage int, title string) panel {
	const server = ", server"
	normal := "rolls in one of twenty"
	if stage >= 4 {
		normal = "rolls in one of ten"
	}
	servers := []color{{"frontend" + server, "orange"}, {"roll" + server, "blue"}, {"die" + server, teal}} // as their callers
	p := timeSeries(title, `Which calls fail, and on which side? The failing call farthest from the user is the cause,
		because the calls before it only pass the failure on. Lookups should not fail at all, `+normal+`.
			If a client sees failures and the server (dashed, in the same color) sees none, calls do not
			arrive, or the client times out. Client and server export at different times, so the lines may differ by a
			point for a moment. A red band shows when the alert RollsUnavailable was firing.`,
		units.PercentUnit,
		query{
			expr: share(clientRequests+`_count{http_response_status_code!~"1..|2..|3..|4.."}`,
				clientRequests+"_count", "service_name", "server_address"),
			legend: "{{service_name}} → {{server_address}}",
		},
		query{
			expr: share(serverRequests+`_count{http_response_status_code!~"1..|2..|3..|4.."}`,
				serverRequests+"_count", "service_name"),
			legend: "{{service_name}}" + server,
		})
	return unlisted(dash(paint(p, append(calls(""), servers...)...), "/server$/"), "/server$/")
}

// callLatency draws the latency of each edge of the service graph, at the client or at the server.
func callLatency(title, description, end string) panel {
	return paint(logarithmic(title, description, units.Seconds, query{
		expr:   quantile(0.95, "traces_service_graph_request_"+end+"_seconds", edges, "client", "server"),
		legend: "{{client}} → {{server}}",
	}), calls("")...)
}

func callNetwork() panel {
	return paint(timeSeries("Network and queueing time", `How much time do the network and queues take? The line is the
		mean duration of a call at the client, minus its mean duration at the server: a millisecond or less here. If it
		grows for one call only, check the connection between these two services.`,
		units.Seconds, query{
			expr: mean("traces_service_graph_request_client_seconds", edges, "client", "server") + " - " +
				mean("traces_service_graph_request_server_seconds", edges, "client", "server"),
			legend: "{{client}} → {{server}}",
		}), calls("")...)
}

func retries() panel {
	return perService("Retries", `Is a service hard to reach? A call is sent again if no connection could be made. Zero
		is good. Successful retries are the only sign of a short outage, because users don't notice it.`,
		perSecond("retries"), orZero("dice_call_retries_total", clientRequests+`_count{server_address="die"}`, "service_name"))
}

func lookups() panel {
	return perService("Lookups per roll by caller", `Do services ask the die service too often? Per roll, the frontend
		asks twice, once for each page, and the roll service once. If the number grows with what users do, a service
		asks in a loop.`,
		count,
		sumRate(clientRequests+`_count{server_address="die"}`, "service_name")+
			" / on () group_left () "+sumRate(serverRequests+`_count{service_name="roll"}`))
}

// rollDuration compares mean durations that differ by a factor of a thousand.
func rollDuration(stage int) panel {
	const title = "Roll duration by component"
	const whole = serverRequests + `_sum{service_name="roll"}`
	const lookup = clientRequests + `_sum{service_name="roll"}`
	const wait = "dice_roll_wait_seconds_sum"
	perRequest := func(sum string) string {
		return "(" + sum + ") / " + sumRate(serverRequests+`_count{service_name="roll"}`)
	}
	lookups := query{expr: perRequest(sumRate(lookup)), legend: "lookup"}
	if stage >= 4 { // dice wait concurrently, so their waits don't add up
		return paint(logarithmic(title, `How much does the lookup add to a request? The lines are means per request, on a
			logarithmic axis. Rolling should take almost all of the time, because it includes a deliberate wait: a batch
			takes as long as its slowest die. If the lookup comes close to it, check the die service.`,
			units.Seconds,
			query{expr: perRequest(sumRate(whole) + " - " + sumRate(lookup)), legend: "rolling"}, lookups,
		), color{"rolling", "blue"}, color{"lookup", teal})
	}
	return paint(logarithmic(title, `How much does the lookup add to a roll? The lines are means per request, on a
		logarithmic axis. The deliberate wait should take almost all of the time. The rest is spent in the roll service
		itself, and in the pause before a retry. If the lookup comes close to the wait, check the die service.`,
		units.Seconds,
		query{expr: perRequest(sumRate(wait)), legend: "wait"}, lookups,
		query{expr: perRequest(sumRate(whole)+" - "+sumRate(wait)+" - "+sumRate(lookup)) + " > 0", legend: "rest"},
	), color{"wait", "blue"}, color{"lookup", teal}, color{"rest", "text"})
}
