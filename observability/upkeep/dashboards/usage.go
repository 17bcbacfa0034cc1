package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/barchart"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// Usage records. A run has a die only if the roll service accepted the request.
const (
	signIns = `{event="dice.sign_in"}`
	runs    = `{event="dice.run"}`
	rolled  = runs + ` | die_identifier != ""`

	diceOfRuns = runs + ` | http_response_status_code < 400 | unwrap dice_batch_size`
)

// usageLine formats a usage record, as logLine does for the other records.
const usageLine = " | line_format `{{.user_name}} {{if eq .event \"dice.run\"}}ran" +
	"{{if .die_identifier}} {{.dice_batch_size}} × {{.die_identifier}}{{end}}: {{.http_response_status_code}}" +
	"{{else}}signed in{{end}}`"

// usage is the dashboard about what users do.
func usage(int) board {
	const all = "sum by (die_identifier) (count_over_time(" + rolled + " [$__auto]))"
	const failed = "sum by (die_identifier) (count_over_time(" + rolled + " | http_response_status_code >= 500 [$__auto]))"
	return board{
		uid:   "usage",
		title: "Usage",
		rows: []row{
			{height: 5, panels: []panel{
				number("Active users", `How many people use the dice? This is the number of different names of users who
					pressed Run within the dashboard's time range. A name is whatever somebody typed: two people may
					share one, and one person may have two.`, "count(count by (user_name) (count_over_time("+runs+" [$__range])))"),
				number("Sign-ins", `How often do people sign in? If there are far more sign-ins than active users,
					sessions end early, or people sign in and leave without a run.`,
					"sum(count_over_time("+signIns+" [$__range]))"),
				number("Runs", `How much are the dice used? This is the number of runs, including failed ones. If it is
					zero and there are sign-ins, people cannot run dice: check the Journey dashboard.`,
					"sum(count_over_time("+runs+" [$__range]))"),
				number("Dice per run", `Do people use the field for the number of dice? With the traffic generator, the
					average is a little more than two; if it is exactly one, nobody uses the field. Only successful runs
					count.`, "avg(avg_over_time("+diceOfRuns+" [$__range]) by ())").Decimals(1),
			}},
			{height: 8, panels: []panel{
				paint(columns(overTime("Sign-ins over time", `When do people sign in? Each bar counts the sign-ins of
					one minute, or of a longer interval if the time range is many hours. The traffic generator's users
					all sign in at the beginning. If many users sign in at once later, the frontend was restarted, which
					ends all sessions.`,
					count, "sum(count_over_time("+signIns+" [$__auto]))", "sign-ins")), color{"sign-ins", "purple"}),
				paint(columns(overTime("Runs over time by die", `Which die is more popular? Each bar counts the runs of
					one minute, or of a longer interval if the time range is many hours. With the traffic generator,
					both dice are equally popular. If a die is missing, it is not in the drop-down, or nobody chooses
					it. Runs that the roll service rejected have no die and are not counted.`,
					count, all, "{{die_identifier}}")), dice()...),
			}},
			{height: 12, panels: []panel{usageRuns(), usageDice()}},
			{height: 8, panels: []panel{
				paint(overTime("Failed runs by die", `How often do runs fail? With the traffic generator, about one
					risky run in five, because a batch fails if any of its dice fails. The fair die never fails. Runs
					without a response from the roll service have no die and are not counted: see Runs, and the
					Dependencies dashboard.`,
					units.PercentUnit, "("+failed+" or 0 * "+all+") / "+all, "{{die_identifier}}"), dice()...),
			}},
			{height: 10, panels: []panel{
				logPanel("Recent events", `What are people doing right now? The newest event is at the top. Click an
					event to see its attributes and the link to its trace, which shows how the services handled it.`,
					usageSource(), `{service_namespace="dice"}`+usageLine, common.LogsSortOrderDescending),
			}},
		},
	}
}

// overTime draws a query of the usage records, with one point per minute or longer interval.
func overTime(title, description, unit, expr, legend string) *timeseries.PanelBuilder {
	return lines(title, description, unit).
		Datasource(usageSource()).
		Targets(logQL(usageSource(), "range", query{expr: expr, legend: legend})).
		Interval("1m")
}

// ranking draws horizontal bars for each user. They have numbers instead of an axis, whose last label would be cut off.
func ranking(title, description, user, expr string) *barchart.PanelBuilder {
	return bars(title, description, count, user).
		Datasource(usageSource()).
		Targets(logQL(usageSource(), "instant", query{expr: expr})).
		Orientation(common.VizOrientationHorizontal).
		ShowValue(common.VisibilityModeAlways).
		AxisPlacement(common.AxisPlacementHidden).
		GroupWidth(0.8)
}

func usageRuns() panel {
	p := ranking("Runs by user and die", `Which users run which die? There are two bars per user. If those of one user
		are far longer than all others, it may be a program rather than a person.`,
		`user_name\die_identifier`, // Grafana's name for the first column of the matrix
		"sum by (user_name, die_identifier) (count_over_time("+rolled+" [$__range]))").
		Transformations([]dashboard.DataTransformerConfig{
			transform("groupingToMatrix", map[string]any{
				"rowField": "user_name", "columnField": "die_identifier", "valueField": "Value #A", "emptyValue": "zero",
			}),
			transform("calculateField", map[string]any{
				"mode": "reduceRow", "reduce": map[string]any{"reducer": "sum"}, "alias": "runs",
			}),
			transform("sortBy", sortedBy("runs", true)),
			transform("organize", map[string]any{"excludeByName": map[string]any{"runs": true}}),
		})
	return paint(p, dice()...)
}

func usageDice() panel {
	p := ranking("Dice rolled by user", `Which users roll most? A run of ten dice counts as ten, and a failed one as
		zero. Compare with the runs on the left: users with many more dice for the same number of runs roll larger
		batches, or fail less often.`,
		"user_name",
		"sum by (user_name) (sum_over_time("+diceOfRuns+" [$__range]))").
		Transformations(append([]dashboard.DataTransformerConfig{transform("sortBy", sortedBy("Value #A", true))},
			only(map[string]string{"Value #A": "dice"}, "user_name", "Value #A")...))
	return paint(p, color{"dice", "purple"})
}
