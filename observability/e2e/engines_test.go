//go:build e2e

package e2e

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"testing"
	"time"

	"example.com/dice/observability/internal/probe"
)

// Ports can be moved with the variables that the compose files read too.
var (
	frontend   = "http://localhost:" + cmp.Or(os.Getenv("FRONTEND_PORT"), "8080")
	roll       = "http://localhost:" + cmp.Or(os.Getenv("ROLL_PORT"), "8081")
	prometheus = "http://localhost:" + cmp.Or(os.Getenv("PROMETHEUS_PORT"), "9090")
	loki       = "http://localhost:" + cmp.Or(os.Getenv("LOKI_PORT"), "3100")
	tempo      = "http://localhost:" + cmp.Or(os.Getenv("TEMPO_PORT"), "3200")
)

var client = &http.Client{Timeout: 30 * time.Second}

const bound = 2 * time.Minute // of all that is polled: what takes longer is broken, not slow

// eventually polls check until it returns nil.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	if err := poll(check); err != nil {
		t.Fatalf("%s: still after %s: %v", what, bound, err)
	}
}

// poll is eventually for who goes on after the last error.
func poll(check func() error) error {
	for start := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		if err := check(); err == nil || time.Since(start) > bound {
			return err
		}
	}
}

// getJSON asks an engine, and decodes its reply.
func getJSON(address string, query url.Values, reply any) error {
	return getJSONOf(probe.Dice, address, query, reply)
}

// getJSONOf is getJSON for a tenant of Loki. The other engines have none.
func getJSONOf(tenant, address string, query url.Values, reply any) error {
	request, err := http.NewRequest(http.MethodGet, address+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	request.Header.Set("X-Scope-OrgID", tenant)
	response, err := client.Do(request)
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

// window adds to a query that it is about some time, to the second, and the most that an engine returns at once.
func window(from, to time.Time, query url.Values) url.Values {
	query.Set("start", strconv.FormatInt(from.Unix(), 10))
	query.Set("end", strconv.FormatInt(to.Unix()+1, 10))
	query.Set("limit", "5000")
	return query
}

// sample is a series with its last value.
type sample struct {
	Metric map[string]string
	Value  [2]any // time, "value"
}

// promQL asks Prometheus for the last values of series.
func promQL(query string) ([]sample, error) {
	var reply struct{ Data struct{ Result []sample } }
	err := getJSON(prometheus+"/api/v1/query", url.Values{"query": {query}}, &reply)
	return reply.Data.Result, err
}

// total returns the sum of the last values of the series that a query selects.
func total(selector string) (int, error) {
	result, err := promQL("sum(" + selector + ")")
	if err != nil || len(result) == 0 {
		return 0, err
	}
	value, err := strconv.ParseFloat(result[0].Value[1].(string), 64)
	return int(value), err
}

// exemplars returns the trace ids of the exemplars of a metric.
func exemplars(metric string) ([]string, error) {
	var reply struct {
		Data []struct {
			Exemplars []struct{ Labels map[string]string }
		}
	}
	now := time.Now()
	err := getJSON(prometheus+"/api/v1/query_exemplars", window(now.Add(-time.Hour), now.Add(time.Minute), url.Values{"query": {metric}}), &reply)
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

// logQL returns the records that a query selects, as their labels and metadata with the line under "line".
func logQL(query string) ([]map[string]string, error) { return logQLOf(probe.Dice, query) }

// logQLOf is logQL for a tenant.
func logQLOf(tenant, query string) ([]map[string]string, error) {
	now := time.Now()
	return logQLBetween(tenant, query, now.Add(-time.Hour), now.Add(time.Minute))
}

// logQLBetween is logQLOf for records of some other time.
func logQLBetween(tenant, query string, from, to time.Time) ([]map[string]string, error) {
	var reply struct {
		Data struct {
			Result []struct {
				Stream map[string]string
				Values [][2]string
			}
		}
	}
	err := getJSONOf(tenant, loki+"/loki/api/v1/query_range", window(from, to, url.Values{"query": {query}}), &reply)
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

// traceQL returns the ids of the traces that a query finds.
func traceQL(query string) ([]string, error) {
	var reply struct {
		Traces []struct{ TraceID string }
	}
	now := time.Now()
	err := getJSON(tempo+"/api/search", window(now.Add(-time.Hour), now.Add(time.Minute), url.Values{"q": {query}}), &reply)
	var ids []string
	for _, trace := range reply.Traces {
		ids = append(ids, trace.TraceID)
	}
	return ids, err
}

// span is one span of a trace as Tempo returns it.
type span struct {
	Service, Name, Kind, Status string
	ID, Parent                  string
	Attributes                  map[string]string
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

// trace fetches a whole trace by its id.
func trace(id string) ([]span, error) {
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
		return nil, fmt.Errorf("%q is not a trace id", id)
	}
	if err := getJSON(tempo+"/api/v2/traces/"+id, nil, &reply); err != nil {
		return nil, err
	}
	var spans []span
	for _, resource := range reply.Trace.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				spans = append(spans, span{
					Service: resource.Resource.Attributes.toMap()["service.name"],
					Name:    s.Name, Kind: s.Kind, Status: s.Status.Code, ID: s.SpanID, Parent: s.ParentSpanID,
					Attributes: s.Attributes.toMap(),
				})
			}
		}
	}
	if len(spans) == 0 {
		return nil, errNoTrace
	}
	return spans, nil
}

// logCount returns how many records of the last hour a query selects.
func logCount(query string) (int, error) {
	var reply struct{ Data struct{ Result []sample } }
	err := getJSON(loki+"/loki/api/v1/query", url.Values{"query": {"sum(count_over_time(" + query + "[1h]))"}}, &reply)
	if err != nil || len(reply.Data.Result) == 0 {
		return 0, err
	}
	return strconv.Atoi(reply.Data.Result[0].Value[1].(string))
}
