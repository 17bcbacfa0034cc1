package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/barchart"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// batches is the dashboard about requests for several dice.
func batches(int) board {
	return board{
		uid:   "batches",
		title: "Batches",
		rows: []row{
			{height: 10, panels: []panel{
				byRoute("Request rate by route", `How many requests are batches? With the traffic generator, three of
					ten (ASYNC_SHARE). If there are none, nobody rolls several dice.`,
					units.RequestsPerSecond, sumRate(rollRoutes(""), "http_route"), false),
				heatMap("Batch size", `How many dice do requests ask for? With the traffic generator, two to ten, each
					equally often. A cell far above the others is a request that costs as much as hundreds of others:
					find it in the table below.`,
					count, "dice_batch_size_bucket", false),
			}},
			{height: 9, panels: []panel{batchFailures(), batchDuration()}},
			{height: 9, panels: []panel{
				byRoute("p95 latency by route", `How much longer does a batch take than one die? Not much, because its
					dice roll at the same time. If the lines move apart, rolls wait for one another or for a CPU. The
					95th percentile is interpolated within a bucket: it can read 1.4 s although no batch took longer
					than 1.14 s, because that bucket ends at 2.5 s.`,
					units.Seconds, quantile(0.95, serverRequests, "{"+twoRoutes+"}", "http_route"), true),
				byRoute("Error rate by route", `How much more often does a batch fail than a single roll? About one
					batch in five fails, and one single roll in twenty. If both lines rise, the dice fail more often:
					see the Roll dashboard. The panel above shows failures by size.`,
					units.PercentUnit, share(rollRoutes(`,http_response_status_code=~"5.."`), rollRoutes(""), "http_route"), false),
			}},
			{height: 9, panels: []panel{
				rollsInFlight(),
				paint(timeSeries("Failed and canceled rolls", `How much work is wasted? When one die fails, the others
					in its batch are canceled: about two per failure, single dice included. If many are canceled and
					none fails, callers disconnect or time out.`,
					perSecond("rolls"), query{
						expr:   sumRate(`dice_rolls_total{dice_roll_outcome!="rolled"}`, "dice_roll_outcome"),
						legend: "{{dice_roll_outcome}}",
					}), color{"failed", "red"}, color{"canceled", "yellow"}),
			}},
			{height: 9, panels: append(spanCosts(),
				spanTable("Recent batches of more than 5 dice", `Which requests are large? Open the trace of one: its
					rolls begin together and end one after the other. In a failed batch, rolls that were still waiting
					end together. The newest batch is at the top; click a column's title to sort by it.`,
					`{ resource.service.name = "roll" && span.dice.batch.size > 5 } | select(span:name, span.dice.batch.outcome)`,
					timeColumn, timeColumn, durationColumn,
					column{"dice.batch.size", "Dice", "1000"}, column{"dice.batch.outcome", "Outcome", "canceled"}),
			)},
		},
	}
}

const twoRoutes = `service_name="roll",http_route=~"/roll|/roll-async"` // that roll dice

// rollRoutes counts requests of the two routes.
func rollRoutes(more string) string { return serverRequests + "_count{" + twoRoutes + more + "}" }

func byRoute(title, description, unit, expr string, exemplars bool) *timeseries.PanelBuilder {
	q := query{expr: expr, legend: "{{http_route}}", exemplars: exemplars}
	return paint(timeSeries(title, description, unit, q), color{"/roll", "blue"}, color{"/roll-async", "orange"})
}

// bySize compares measured with expected values for batches of each size. Both come from the log, because the histogram of
// sizes has neither durations nor failures.
func bySize(title, description, unit, hue, measured, expected string) *barchart.PanelBuilder {
	const size, first, second = "dice_batch_size", "Value #A", "Value #B"
	names := map[string]string{size: "size", first: "measured", second: "expected"}
	p := bars(title, description, unit, "size").
		XField("size").
		Datasource(lokiSource()).
		Targets(logQL(lokiSource(), "instant", query{expr: measured}, query{expr: expected})).
		Transformations(append([]dashboard.DataTransformerConfig{
			transform("joinByField", map[string]any{"byField": size, "mode": "outer"}),
			convert("number"), // 10 comes after 9
			transform("sortBy", sortedBy(size, false)),
			convert("string"), // a category of the bar chart
		}, only(names, size, first, second)...))
	return paint(p, compared("measured", "expected", hue)...)
}

func convert(to string) dashboard.DataTransformerConfig {
	return transform("convertFieldType", map[string]any{
		"fields":      map[string]any{},
		"conversions": []any{map[string]any{"targetField": "dice_batch_size", "destinationType": to}},
	})
}

func batchFailures() panel {
	const risky = `{service_name="roll"} | die_identifier="risky" | dice_batch_size != ""`
	const all = "sum by (dice_batch_size) (count_over_time(" + risky + " [$__range]))"
	const failed = "sum by (dice_batch_size) (count_over_time(" + risky + ` |= "batch failed" [$__range]))`
	return bySize("Failed risky batches by size", `Why do large batches fail so often? A batch fails if any of its dice
		fails: with probability 0.1 for one die, and 1 − 0.9ⁿ for n dice. It takes a few dozen batches of a size until
		the two bars agree. If measured is above expected for all sizes, the die fails too often: see the Roll
		dashboard.`,
		units.PercentUnit, "red",
		"("+failed+" or 0 * "+all+") / "+all,
		"1 - 0.9 ^ "+sizeOf(risky),
	).Max(1)
}

func batchDuration() panel {
	const rolled = `{service_name="roll"} |= "batch rolled"`
	return bySize("Batch duration by size", `How long does a successful batch take? As long as its slowest die: with
		MAX_WAIT=1s, the longest of n waits takes n/(n+1) seconds on average, so ten dice take hardly longer than five.
		If measured is far above expected, rolls wait for one another.`,
		units.Seconds, "blue",
		"avg by (dice_batch_size) (avg_over_time("+rolled+" | unwrap dice_batch_duration [$__range]))",
		"1 - 1 / (1 + "+sizeOf(rolled)+")")
}

// sizeOf is a query that returns, for batches of each size, the size itself.
func sizeOf(batches string) string {
	return "max by (dice_batch_size) (max_over_time(" + batches +
		" | label_format size=`{{.dice_batch_size}}` | unwrap size [$__range]))"
}

// rollsInFlight draws the mean of each die over the interval, and the largest number. A single sample is what is rolling at the
// moment of an export, which jumps up and down.
func rollsInFlight() panel {
	const active, largest = "dice_roll_active", "largest"
	p := stacked(timeSeries("Rolls in flight", `How many dice are rolling at the same time? The areas are the mean of
		each die. The dashed line adds up the largest number of each die; the service reports every five seconds. Both
		follow the requests. If they stay up when the requests stop, some rolls never finish.`,
		count,
		query{expr: sum(over("avg", active), "die_identifier"), legend: "{{die_identifier}}"},
		query{expr: sum(over("max", active)), legend: largest},
	)).OverrideByName(largest, []dashboard.DynamicConfigValue{
		{Id: "custom.stacking", Value: map[string]any{"mode": "none", "group": "A"}},
	})
	return dash(paint(p, append(dice(), color{largest, "text"})...), "/^"+largest+"$/")
}

// spanCosts returns panels about the SDK's own work.
func spanCosts() []panel {
	const processed = "otel_sdk_processor_span_processed_total"
	return []panel{
		perService("Spans per request", `How many spans does a request to the roll service create? Its own, the
			lookup's, and one per die: about four and a half with the traffic generator. If the number jumps, somebody
			is rolling very large batches.`,
			count,
			sumRate(`otel_sdk_span_started_total{service_name="roll"}`, "service_name")+
				" / "+sumRate(serverRequests+`_count{service_name="roll"}`, "service_name")),
		perService("Span queue usage", `Is there room for a burst? Spans wait in a queue for the next export, and when
			it is full, new spans are dropped. Near zero is good. Otherwise, raise OTEL_BSP_MAX_QUEUE_SIZE or create
			fewer spans. The queue is read every five seconds, so a short burst does not show here: Dropped spans shows
			whether any were lost.`,
			units.PercentUnit,
			"max by (service_name) ("+last("otel_sdk_processor_span_queue_size")+" / "+last("otel_sdk_processor_span_queue_capacity")+")"),
		perService("Dropped spans", `Are traces complete? When the queue is full, new spans are dropped, and apart from
			the service's terminal, only this counter shows it. Zero is good. Otherwise, see Span queue usage.`,
			perSecond("spans"),
			orZero(processed+`{error_type!=""}`, processed, "service_name")),
	}
}
