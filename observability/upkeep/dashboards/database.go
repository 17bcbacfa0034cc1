package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// Operations of the die service on its database. A query ends when its first row arrives; reading the rows is a separate
// operation.
const (
	queryCount = `db_client_operation_duration_seconds_count{service_name="die",db_query_summary=~"SELECT.*"`
	queryName  = "{{db_query_summary}}"
)

// database is the dashboard of the die service's database.
func database(stage int) board {
	return board{
		uid:   "database",
		title: "Database",
		rows: []row{
			{height: 9, panels: []panel{
				bySummary("Query rate", `Which queries does the database get? For each roll, the page asks twice for the
					list (SELECT dice), and the roll service once for a die (SELECT dice faces). If a query is missing,
					nothing runs it. If one is new, check its query plan.`,
					perSecond("queries"), query{expr: sumRate(queryCount+"}", "db_query_summary"), legend: queryName}),
				databaseErrors(),
			}},
			{height: 9, panels: append([]panel{databaseQueries()}, databaseDurations()...)},
			{height: 9, panels: append(databasePool(),
				spanTable("Queries slower than 0.2 ms", `Which queries are slow? Each row is one query: open its trace
					to see the request that ran it, and the statement without its values.`,
					`{ resource.service.name = "die" && span.db.system.name = "sqlite" && span:duration > 200us } | select(span:name)`,
					durationColumn, timeColumn, spanColumn("Query", "SELECT dice faces"), durationColumn),
			)},
			{height: 10, panels: []panel{
				logPanel("Log records of the die service", `What does the die service log? One record for each lookup of
					a die. An error contains the database's own message: click it to see the link to its trace.`,
					lokiSource(), `{service_name="die"}`+logLine(stage), common.LogsSortOrderDescending),
			}},
		},
	}
}

func bySummary(title, description, unit string, queries ...query) *timeseries.PanelBuilder {
	return paint(timeSeries(title, description, unit, queries...),
		color{"SELECT dice", "purple"}, color{"SELECT dice faces", "blue"})
}

func databaseErrors() panel {
	const lookups = "lookups with 503"
	return paint(bySummary("Failed queries and lookups", `Does the database respond? Zero is good. Otherwise, the log
		below says why: a lock, a damaged file, a full disk. If no connection can be made, there is no query, so only
		the lookups with 503 show it. Queries that their caller canceled have not failed.`,
		units.PercentUnit,
		query{expr: share(queryCount+`,error_type!=""}`, queryCount+"}", "db_query_summary"), legend: queryName},
		query{expr: share(serverRequests+`_count{service_name="die",http_response_status_code="503"}`,
			serverRequests+`_count{service_name="die"}`), legend: lookups},
	), color{lookups, "red"})
}

func databaseQueries() panel {
	return paint(timeSeries("Queries per request", `Does a request query the database in a loop? A lookup takes one
		query, and a lookup of an unknown die takes two. If the number grows with the number of dice, there is a query
		in a loop: open a trace and count the queries below GET /dice.`,
		count, query{
			expr: sumRate(queryCount+`,http_route!=""}`, "http_route") + " / " +
				sumRate(serverRequests+`_count{service_name="die"}`, "http_route"),
			legend: "die: GET {{http_route}}",
		}), color{"die: GET /dice", teal})
}

func databaseDurations() []panel {
	const duration = "db_client_operation_duration_seconds"
	const queries = `{service_name="die",db_query_summary=~"SELECT.*"}`
	const reading = "reading the rows"
	inDatabase := sumRate(duration+`_sum{service_name="die",http_route!="",db_query_summary=~"SELECT.*|ROWS"}`) + " / " +
		sumRate(serverRequests+`_sum{service_name="die"}`)
	return []panel{
		paint(parts("Lookup duration by component", `Is the database the reason for slow lookups? Its share is running
			the query and reading the rows. The rest is the die service itself, which parses requests, logs and
			responds. If lookups are slow and the database's share is small, look elsewhere.`,
			query{expr: inDatabase, legend: "database"},
			query{expr: "clamp_min(1 - " + inDatabase + ", 0)", legend: "rest"},
		), color{"database", teal}, color{"rest", "text"}),
		paint(bySummary("Mean query duration", `How fast is the database? A query is timed until its first row arrives.
			Reading the rows has its own line, for all queries together. Each takes a tenth or two of a millisecond
			here. If only one query slows down, its plan is bad or its table is large. If all slow down, the disk or the
			CPU is busy.`,
			units.Seconds,
			query{expr: mean(duration, queries, "db_query_summary"), legend: queryName},
			query{expr: mean(duration, `{service_name="die",db_query_summary="ROWS"}`), legend: reading},
		).AxisSoftMax(0.0002), color{reading, "orange"}),
		bySummary("p99 query duration", `How slow are the slowest queries? 99 % finish within this time. If a line
			rises, click one of its marks, which is one request, and look for the longest query in its trace.`,
			units.Seconds, query{expr: quantile(0.99, duration, queries, "db_query_summary"), legend: queryName, exemplars: true}),
	}
}

func databasePool() []panel {
	const operations = `db_client_operation_duration_seconds_count{service_name="die",db_query_summary=~`
	const prepared = "PREPARE"
	return []panel{
		paint(timeSeries("Connection pool", `Are there enough connections? Queries are so short that the number in use
			is almost always zero. If all connections stay in use, queries are slow, or rows are not closed after they
			have been read.`,
			count,
			query{
				expr:   sum(last(`db_client_connection_count{service_name="die"}`), "db_client_connection_state"),
				legend: "{{db_client_connection_state}}",
			},
			query{expr: sum(last(`db_client_connection_max{service_name="die"}`)), legend: "max"},
		), color{"idle", "blue"}, color{"used", "orange"}, color{"max", "text"}),
		perService("Waits for a connection", `Do requests wait for a connection? Zero is good. Otherwise, all
			connections are sometimes in use: make queries faster first, then allow more connections.`,
			perSecond("waits"), sumRate(`dice_pool_waits_total{service_name="die"}`, "service_name")),
		paint(bySummary("Driver operations", `How many operations does a query take? One to run it, and one to read its
			rows (ROWS). If PREPARE is more than a few at the start, statements are prepared again and again instead of
			being reused. Operations that fill the database at the start are left out.`,
			perSecond("operations"),
			query{expr: sumRate(operations+`"SELECT.*|ROWS"}`, "db_query_summary"), legend: queryName},
			query{expr: sumRate(operations + `"PREPARE.*"}`), legend: prepared},
		), color{"ROWS", "orange"}, color{prepared, "light-purple"}),
	}
}
