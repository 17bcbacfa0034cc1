package main

import (
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/loki"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/tempo"
)

// Data sources, by their uids in grafana/datasources.yaml.

func prometheusSource() common.DataSourceRef { return source("prometheus", "prometheus") }
func lokiSource() common.DataSourceRef       { return source("loki", "loki") }
func usageSource() common.DataSourceRef      { return source("loki", "usage") } // of stage 6
func tempoSource() common.DataSourceRef      { return source("tempo", "tempo") }

func source(kind, uid string) common.DataSourceRef {
	return common.DataSourceRef{Type: &kind, Uid: &uid}
}

type target = cog.Builder[variants.Dataquery]

// query is a query, and the name of its series in the legend.
type query struct {
	expr, legend string
	exemplars    bool // for Prometheus: points that link to traces
}

// promQL queries Prometheus for time series.
func promQL(queries ...query) []target {
	var all []target
	for i, q := range queries {
		builder := prometheus.NewDataqueryBuilder().Datasource(prometheusSource()).RefId(refID(i)).
			Range().Expr(q.expr).LegendFormat(q.legend)
		if q.exemplars {
			builder.Exemplar(true)
		}
		all = append(all, builder)
	}
	return all
}

// tables queries Prometheus for the newest values, in one table per query.
func tables(queries ...string) []target {
	var all []target
	for i, expr := range queries {
		all = append(all, prometheus.NewDataqueryBuilder().Datasource(prometheusSource()).RefId(refID(i)).
			Instant().Format(prometheus.PromQueryFormatTable).Expr(expr).LegendFormat("{{face}}"))
	}
	return all
}

// logQL queries Loki for numbers: one for the dashboard's whole time range if kind is "instant", or a series over that
// range if it is "range".
func logQL(from common.DataSourceRef, kind string, queries ...query) []target {
	var all []target
	for i, q := range queries {
		builder := loki.NewDataqueryBuilder().Datasource(from).RefId(refID(i)).QueryType(kind).Expr(q.expr)
		if q.legend != "" {
			builder.LegendFormat(q.legend)
		}
		all = append(all, builder)
	}
	return all
}

// traceQL queries Tempo for spans, newest first.
func traceQL(expr string) target {
	return tempo.NewDataqueryBuilder().Datasource(tempoSource()).RefId(refID(0)).QueryType("traceql").
		TableType(tempo.SearchTableTypeSpans).Limit(20).Query(expr + " with (most_recent=true)")
}

func refID(i int) string { return string(rune('A' + i)) }

// Parts of PromQL. A selector is the name of a metric, with or without matchers.

// The durations of requests, as measured by servers and clients. Both are histograms: append _count, _sum or _bucket to
// the names.
const (
	serverRequests = "http_server_request_duration_seconds"
	clientRequests = "http_client_request_duration_seconds"
)

func rate(selector string) string { return "rate(" + selector + "[$__rate_interval])" }

func sum(expr string, by ...string) string {
	if len(by) == 0 {
		return "sum(" + expr + ")"
	}
	return "sum by (" + strings.Join(by, ", ") + ") (" + expr + ")"
}

// last is the newest value of the interval. Without an interval, Prometheus returns the last value of a process for five
// minutes after it has ended, because metrics that arrive over OTLP have no end.
func last(selector string) string { return over("last", selector) }

// over aggregates the values of the interval with one of PromQL's functions for it.
func over(function, selector string) string {
	return function + "_over_time(" + selector + "[$__rate_interval])"
}

// sumRate is the rate of a counter, summed over all labels except those in by.
func sumRate(selector string, by ...string) string { return sum(rate(selector), by...) }

// orZero is the sum of a counter's rate, and 0 for each series that only the other counter has.
func orZero(counter, other string, by ...string) string {
	return sumRate(counter, by...) + " or 0 * " + sumRate(other, by...)
}

// share is the ratio of one counter's rate to another's. It is 0, not missing, where the first counter is missing.
func share(part, whole string, by ...string) string {
	return "(" + orZero(part, whole, by...) + ") / " + sumRate(whole, by...)
}

// mean is the mean of a histogram's values.
func mean(metric, matchers string, by ...string) string {
	return sumRate(metric+"_sum"+matchers, by...) + " / " + sumRate(metric+"_count"+matchers, by...)
}

// quantile is a quantile of a histogram's values.
func quantile(q float64, metric, matchers string, by ...string) string {
	return fmt.Sprintf("histogram_quantile(%v, %s)", q, sumRate(metric+"_bucket"+matchers, append(by, "le")...))
}
