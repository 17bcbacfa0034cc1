package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// pipeline is the dashboard of the collector. All stages share it.
func pipeline() board {
	return board{
		uid:   "pipeline",
		title: "Pipeline",
		rows: []row{
			{height: 9, panels: []panel{
				bySignal("Received telemetry", `Is telemetry arriving at the collector? An item is a span, a metric
					point or a log record. If a line stays at zero while services are running, they send their telemetry
					elsewhere: check their OTEL_EXPORTER_OTLP_ENDPOINT.`, "sum(rate(otelcol_receiver_accepted_%s_total[$__rate_interval]))"),
				bySignal("Exported telemetry", `Does the collector pass on what it received? It exports more metric
					points than it received, because it derives span metrics and the service graph from spans. If a line
					is at zero, the backend for that signal is down, and its queue below grows.`, "sum(rate(otelcol_exporter_sent_%s_total[$__rate_interval]))"),
			}},
			{height: 9, panels: []panel{
				bySignal("Refused telemetry", `Is the collector short of memory? Then it refuses items, and the services
					keep them and retry for a while. Zero is good. Otherwise, raise mem_limit and the memory_limiter's
					limits, or send less.`, "sum(rate(otelcol_receiver_refused_%s_total[$__rate_interval]))"),
				bySignal("Dropped telemetry", `Is anything lost? The collector drops items that a backend rejects as
					invalid, and items that don't fit into a full queue. Zero is good. Otherwise, `+"`docker compose logs collector` says why.",
					"(sum(rate(otelcol_exporter_send_failed_%[1]s_total[$__rate_interval])) or vector(0))"+
						" + (sum(rate(otelcol_exporter_enqueue_failed_%[1]s_total[$__rate_interval])) or vector(0))"),
			}},
			{height: 9, panels: []panel{
				paint(timeSeries("Queue length by exporter", `Is a backend falling behind? Zero to a few requests are normal:
					each waits for its batch for up to 200 ms, and leaves the queue when the backend has acknowledged
					it. When a backend is down, its queue grows, and it drains when the backend is back. Nothing is
					lost below the capacity of 20,000 requests.`,
					count, query{expr: sum("otelcol_exporter_queue_size", "exporter"), legend: "{{exporter}}"}),
					color{"otlp_http/tempo", "orange"}, color{"otlp_http/prometheus", "blue"},
					color{"otlp_http/loki", teal}, color{"otlp_http/loki_usage", "purple"}),
				paint(timeSeries("Collector memory", `Is the collector near its limit? The memory_limiter begins to
					refuse data at 150 MiB, and the container may use 256 MiB.`,
					units.BytesIEC,
					query{expr: "otelcol_process_memory_rss_bytes", legend: "resident"},
					query{expr: "otelcol_process_runtime_heap_alloc_bytes", legend: "heap"}),
					color{"resident", "purple"}, color{"heap", "blue"}),
			}},
		},
	}
}

// bySignal draws one line per signal. The expression has a formatting verb for the end of the metric's name.
func bySignal(title, description, expr string) *timeseries.PanelBuilder {
	var queries []query
	for _, signal := range []struct{ metric, name string }{
		{"spans", "spans"}, {"metric_points", "metric points"}, {"log_records", "log records"},
	} {
		queries = append(queries, query{expr: fmt.Sprintf(expr, signal.metric), legend: signal.name})
	}
	return paint(timeSeries(title, description, perSecond("items"), queries...),
		color{"spans", "orange"}, color{"metric points", "blue"}, color{"log records", teal})
}
