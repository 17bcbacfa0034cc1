package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/barchart"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// roll is the dashboard of the roll service, and Grafana's home dashboard.
func roll(stage int) board {
	const failures = "Failure rate by die"
	return board{
		uid:    "roll",
		title:  "Roll",
		alerts: []alert{{"RollsFailTooOften", failures}},
		rows: []row{
			{height: 8, panels: []panel{rollStatuses(), rollErrors(stage)}},
			{height: 9, panels: []panel{
				heatMap("Request duration", `How fast does the service respond? The brighter a cell, the more requests
					took that long. Each orange mark is one request: click it to open its trace. Compare with the random
					wait on the right: the difference is time spent in the service itself.`,
					units.Seconds, serverRequests+`_bucket{service_name="roll"}`, true),
				heatMap("Random wait", randomWait(stage),
					units.Seconds, `dice_roll_wait_seconds_bucket{service_name="roll"}`, true),
			}},
			{height: 9, panels: []panel{rollFaces(), rollFailures(stage, failures)}},
			{height: 9, panels: []panel{
				spanTable("Recent failed rolls", `Which rolls failed? Each row is one roll: open its trace to see the
					request that it was part of, and the error.`,
					`{ resource.service.name = "roll" && span:name = "roll die" && span:status = error }`+
						` | select(span:name, span.die.identifier, span.error.type)`,
					timeColumn, timeColumn, durationColumn, column{"die.identifier", "Die", "risky"}, column{"error.type", "Error", "die_failed"}),
				rollInstances(),
			}},
			{height: 10, panels: []panel{
				logPanel("Log records", `What do the services log? The newest record is at the top. Click a record to
					see its attributes and the link to its trace.`,
					lokiSource(), `{service_namespace="dice"}`+logLine(stage), common.LogsSortOrderDescending),
			}},
			{title: "Go runtime", height: 8, panels: goRuntime()},
		},
	}
}

// instanceName matches a service.instance.id. Its groups are the name of the pod on Kubernetes, and eight characters of any
// other ID; one of them is empty.
const instanceName = `dice\\.(.+)\\.roll|(.{8}).*`

func rollInstances() panel {
	return timeSeries("Request rate by instance", `Do all instances of the service get requests? There is one line per
		instance; the legend shows the first eight characters of its service.instance.id, or on Kubernetes the name
		of its pod. If there is no line, run `+"`docker compose ps`"+`. If one is far below the others, callers are reusing existing connections.`,
		units.RequestsPerSecond,
		query{
			expr: sum("label_replace("+rate(serverRequests+`_count{service_name="roll"}`)+
				`, "instance", "$1$2", "instance", "`+instanceName+`")`, "instance"),
			legend: "{{instance}}",
		}).ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdShades).FixedColor("blue"))
}

func rollStatuses() panel {
	return paintStatuses(timeSeries("Request rate by status", `What does the service respond? 500 is a risky die that
		failed. 4xx is the caller's mistake, which the log records below explain.`,
		units.RequestsPerSecond,
		query{
			expr:   sumRate(serverRequests+`_count{service_name="roll"}`, "service_name", "http_response_status_code"),
			legend: "{{service_name}}: {{http_response_status_code}}",
		}))
}

func rollErrors(stage int) panel {
	normal := `About 5 % is normal here, because the traffic generator rolls the risky die half of the time.`
	if stage >= 4 {
		normal = `About 10 % is normal here: one in ten requests for a single risky die, more for batches of them, and
			none for fair dice.`
	}
	return paint(timeSeries("Error rate",
		"How often do users see an error? "+normal+" If it is higher, open one of the failed rolls below.",
		units.PercentUnit,
		query{
			expr: share(serverRequests+`_count{service_name="roll",http_response_status_code=~"5.."}`,
				serverRequests+`_count{service_name="roll"}`, "service_name"),
			legend: "{{service_name}}: 5xx",
		}), color{"roll: 5xx", "red"})
}

func randomWait(stage int) string {
	waits := "The waits are spread evenly between 0 and MAX_WAIT."
	if stage >= 4 {
		waits = `The waits are spread almost evenly between 0 and MAX_WAIT: longer waits are more often cut short
			because another die in the batch failed, and those are not recorded.`
	}
	return "How long did rolls wait deliberately? " + waits + ` If requests are slow and the waits are not, look for
		another slow span in the trace.`
}

func rollFaces() *barchart.PanelBuilder {
	const rolled = `dice_rolls_total{dice_roll_outcome="rolled"}`
	faces := sum(rolled, "die_identifier", "die_value")
	named := func(expr string) string {
		return `label_join(` + expr + `, "face", " ", "die_identifier", "die_value")`
	}
	p := bars("Observed vs expected faces", `Is each die fair? Each of its six faces should come up in one of six rolls.
		After a few hundred rolls, both bars of a face have about the same height. If they don't, the die does not
		follow its specification.`,
		count, "face").
		XField("face").
		Datasource(prometheusSource()).
		Targets(tables(
			named(faces),
			named(faces+" * 0 + on (die_identifier) group_left () "+sum(rolled, "die_identifier")+" / 6"),
		)).
		Transformations(append([]dashboard.DataTransformerConfig{
			transform("joinByField", map[string]any{"byField": "face", "mode": "outer"}),
			transform("sortBy", sortedBy("face", false)),
		}, only(map[string]string{"Value #A": "observed", "Value #B": "expected"}, "face", "Value #A", "Value #B")...))
	return paint(p, compared("observed", "expected", "blue")...)
}

func rollFailures(stage int, title string) panel {
	finished, without := "dice_rolls_total", ""
	if stage >= 4 {
		finished, without = `dice_rolls_total{dice_roll_outcome!="canceled"}`, ", without canceled ones"
	}
	const expected = "risky, expected"
	p := timeSeries(title, `Does a die fail as often as specified? The line is the share of all its rolls so far`+
		without+`; a die that never failed has no line. The risky die should fail in one of ten rolls: its line swings
		at first and settles after a few hundred rolls. If it settles elsewhere, the die's error rate is not 0.1. A red
		band shows when the alert RollsFailTooOften was firing.`,
		units.PercentUnit,
		query{
			expr: sum(last(`dice_rolls_total{dice_roll_outcome="failed"}`), "die_identifier") + " / " +
				sum(last(finished), "die_identifier"),
			legend: "{{die_identifier}}",
		},
		query{expr: "vector(0.1)", legend: expected},
	).AxisSoftMax(0.2)
	return paint(withoutFill(p, expected), append(dice(), color{expected, "text"})...)
}

func goRuntime() []panel {
	return []panel{
		perService("Go memory", `Does memory keep growing? Then the service has a memory leak.`,
			units.BytesIEC, sum(last("go_memory_used_bytes"), "service_name")),
		perService("Goroutines", `Does the number of goroutines keep growing? Then the service starts goroutines that
			never finish.`,
			count, sum(last("go_goroutine_count"), "service_name")),
		perService("Allocation rate", `How much garbage does the service create? The rate follows the requests. If it
			does not, look for code that allocates memory outside of requests.`,
			units.BytesPerSecondIEC, sumRate("go_memory_allocated_bytes_total", "service_name")),
	}
}

func sortedBy(field string, descending bool) map[string]any {
	by := map[string]any{"field": field}
	if descending {
		by["desc"] = true
	}
	return map[string]any{"fields": map[string]any{}, "sort": []any{by}}
}
