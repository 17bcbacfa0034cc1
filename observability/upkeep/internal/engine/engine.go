// Package engine queries Prometheus, Loki and Tempo for tests.
package engine

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"example.com/dice/observability/upkeep/internal/probe"
)

// Client sends requests to services and engines.
var Client = &http.Client{Timeout: 30 * time.Second}

// Engines are the addresses of the engines, each http://host:port.
type Engines struct{ Prometheus, Loki, Tempo string }

// Local are the engines that docker compose runs. Ports can be moved with the variables that the compose files read too.
var Local = Engines{
	Prometheus: "http://localhost:" + cmp.Or(os.Getenv("PROMETHEUS_PORT"), "9090"),
	Loki:       "http://localhost:" + cmp.Or(os.Getenv("LOKI_PORT"), "3100"),
	Tempo:      "http://localhost:" + cmp.Or(os.Getenv("TEMPO_PORT"), "3200"),
}

// GetJSON queries an engine, and decodes its response. The tenant matters to Loki only.
func GetJSON(tenant, address string, query url.Values, reply any) error {
	request, err := http.NewRequest(http.MethodGet, address+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	request.Header.Set("X-Scope-OrgID", tenant)
	response, err := Client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", address, response.Status, body)
	}
	return json.Unmarshal(body, reply)
}

// Window adds to a query a time range, in whole seconds, and the largest number of results that an engine returns at once.
func Window(from, to time.Time, query url.Values) url.Values {
	query.Set("start", strconv.FormatInt(from.Unix(), 10))
	query.Set("end", strconv.FormatInt(to.Unix()+1, 10))
	query.Set("limit", "5000")
	return query
}

// Sample is a series with its last value.
type Sample struct {
	Metric map[string]string
	Value  [2]any // time, "value"
}

// PromQL queries Prometheus for the last values of series.
func (e Engines) PromQL(query string) ([]Sample, error) {
	var reply struct{ Data struct{ Result []Sample } }
	err := GetJSON(probe.Dice, e.Prometheus+"/api/v1/query", url.Values{"query": {query}}, &reply)
	return reply.Data.Result, err
}

// Total returns the sum of the last values of the series that a query selects.
func (e Engines) Total(selector string) (int, error) {
	result, err := e.PromQL("sum(" + selector + ")")
	if err != nil || len(result) == 0 {
		return 0, err
	}
	value, err := strconv.ParseFloat(result[0].Value[1].(string), 64)
	return int(value), err
}

// Increase returns by how much counters have grown since a time of the last half hour, from their samples: PromQL's function of that name
// extrapolates.
func (e Engines) Increase(selector string, since time.Time) (int, error) {
	var reply struct {
		Data struct{ Result []struct{ Values [][2]any } }
	}
	if err := GetJSON(probe.Dice, e.Prometheus+"/api/v1/query", url.Values{"query": {selector + "[30m]"}}, &reply); err != nil {
		return 0, err
	}
	grown := 0.0
	for _, counter := range reply.Data.Result {
		last := 0.0
		for _, sample := range counter.Values {
			seconds, _ := sample[0].(float64)
			text, _ := sample[1].(string)
			value, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return 0, err
			}
			if value < last { // a new process counts from zero
				last = 0
			}
			if seconds > float64(since.Unix()) {
				grown += value - last
			}
			last = value
		}
	}
	return int(grown), nil
}

// Exemplars returns the trace IDs of the exemplars of a metric.
func (e Engines) Exemplars(metric string) ([]string, error) {
	var reply struct {
		Data []struct {
			Exemplars []struct{ Labels map[string]string }
		}
	}
	now := time.Now()
	err := GetJSON(probe.Dice, e.Prometheus+"/api/v1/query_exemplars", Window(now.Add(-time.Hour), now.Add(time.Minute), url.Values{"query": {metric}}), &reply)
	var ids []string
	for _, series := range reply.Data {
		for _, exemplar := range series.Exemplars {
			ids = append(ids, exemplar.Labels["trace_id"])
		}
	}
	if err == nil && len(ids) == 0 {
		err = fmt.Errorf("%s has no exemplars", metric)
	}
	return ids, err
}

// LogQL returns the records that a query selects, as their labels and metadata with the line under "line".
func (e Engines) LogQL(query string) ([]map[string]string, error) {
	return e.LogQLOf(probe.Dice, query)
}

// LogQLOf is LogQL for a tenant.
func (e Engines) LogQLOf(tenant, query string) ([]map[string]string, error) {
	now := time.Now()
	return e.LogQLBetween(tenant, query, now.Add(-time.Hour), now.Add(time.Minute))
}

// LogQLBetween is LogQLOf for another time range.
func (e Engines) LogQLBetween(tenant, query string, from, to time.Time) ([]map[string]string, error) {
	var reply struct {
		Data struct {
			Result []struct {
				Stream map[string]string
				Values [][2]string
			}
		}
	}
	err := GetJSON(tenant, e.Loki+"/loki/api/v1/query_range", Window(from, to, url.Values{"query": {query}}), &reply)
	var records []map[string]string
	for _, stream := range reply.Data.Result {
		for _, value := range stream.Values {
			record := map[string]string{"line": value[1]}
			for key, value := range stream.Stream {
				record[key] = value
			}
			records = append(records, record)
		}
	}
	return records, err
}

// TraceQL returns the IDs of the traces that a query finds.
func (e Engines) TraceQL(query string) ([]string, error) {
	var reply struct {
		Traces []struct{ TraceID string }
	}
	now := time.Now()
	err := GetJSON(probe.Dice, e.Tempo+"/api/search", Window(now.Add(-time.Hour), now.Add(time.Minute), url.Values{"q": {query}}), &reply)
	var ids []string
	for _, trace := range reply.Traces {
		ids = append(ids, trace.TraceID)
	}
	return ids, err
}

// TraceQLSeries returns the number of series that Tempo computes from spans, such as { span:status = error } | rate(), over five minutes.
func (e Engines) TraceQLSeries(query string) (int, error) {
	var reply struct{ Series []json.RawMessage }
	now := time.Now()
	window := Window(now.Add(-5*time.Minute), now, url.Values{"q": {query}, "step": {"10s"}})
	err := GetJSON(probe.Dice, e.Tempo+"/api/metrics/query_range", window, &reply)
	return len(reply.Series), err
}

// Span is one span of a trace as Tempo returns it.
type Span struct {
	Service, Name, Kind, Status string
	ID, Parent                  string // in hexadecimal
	Attributes, Resource        map[string]string
}

type keyValues []struct {
	Key   string
	Value map[string]any
}

func (attributes keyValues) toMap() map[string]string {
	got := make(map[string]string)
	for _, attribute := range attributes {
		for _, value := range attribute.Value { // one entry: the type and the value
			got[attribute.Key] = fmt.Sprint(value)
		}
	}
	return got
}

var errNoTrace = errors.New("no such trace")

// Trace fetches a whole trace by its ID.
func (e Engines) Trace(id string) ([]Span, error) { return e.trace(id, nil) }

// TraceSince fetches what a trace has had since a time. Tempo looks only into blocks of that time, so it takes much less CPU.
func (e Engines) TraceSince(id string, since time.Time) ([]Span, error) {
	return e.trace(id, Window(since, time.Now().Add(time.Minute), url.Values{}))
}

func (e Engines) trace(id string, query url.Values) ([]Span, error) {
	var reply struct {
		Trace struct {
			ResourceSpans []struct {
				Resource   struct{ Attributes keyValues }
				ScopeSpans []struct {
					Spans []struct {
						SpanID, ParentSpanID, Name, Kind string
						Status                           struct{ Code string }
						Attributes                       keyValues
					}
				}
			}
		}
	}
	if raw, err := hex.DecodeString(id); err != nil || len(raw) != 16 {
		return nil, fmt.Errorf("%q is not a trace ID", id)
	}
	if err := GetJSON(probe.Dice, e.Tempo+"/api/v2/traces/"+id, query, &reply); err != nil {
		return nil, err
	}
	var spans []Span
	for _, resource := range reply.Trace.ResourceSpans {
		from := resource.Resource.Attributes.toMap()
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				spans = append(spans, Span{
					Service: from["service.name"],
					Name:    s.Name, Kind: s.Kind, Status: s.Status.Code, ID: decodeID(s.SpanID), Parent: decodeID(s.ParentSpanID),
					Attributes: s.Attributes.toMap(), Resource: from,
				})
			}
		}
	}
	if len(spans) == 0 {
		return nil, errNoTrace
	}
	return spans, nil
}

// decodeID returns the ID of a span in hexadecimal. In JSON, Tempo has it in base64.
func decodeID(id string) string {
	raw, err := base64.StdEncoding.DecodeString(id)
	if err != nil {
		return id
	}
	return hex.EncodeToString(raw)
}

// LogCount returns how many records of the last hour a query selects.
func (e Engines) LogCount(query string) (int, error) {
	var reply struct{ Data struct{ Result []Sample } }
	err := GetJSON(probe.Dice, e.Loki+"/loki/api/v1/query", url.Values{"query": {"sum(count_over_time(" + query + "[1h]))"}}, &reply)
	if err != nil || len(reply.Data.Result) == 0 {
		return 0, err
	}
	return strconv.Atoi(reply.Data.Result[0].Value[1].(string))
}
