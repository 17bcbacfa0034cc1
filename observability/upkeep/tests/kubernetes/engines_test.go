//go:build e2e

package kubernetes

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"
)

// engines are the addresses of what keeps the telemetry.
type engines struct{ prometheus, loki, tempo string }

func forwardEngines(t *testing.T) engines {
	t.Helper()
	return engines{forward(t, "prometheus", "9090"), forward(t, "loki", "3100"), forward(t, "tempo", "3200")}
}

var client = &http.Client{Timeout: 30 * time.Second}

// get asks an engine, as the tenant dice where that matters, and decodes its reply.
func get(address string, query url.Values, reply any) error {
	request, err := http.NewRequest(http.MethodGet, address+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	request.Header.Set("X-Scope-OrgID", "dice")
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

// series is a series with its last value.
type series struct {
	Metric map[string]string
	Value  [2]any // time, "value"
}

func (e engines) promQL(query string) ([]series, error) {
	var reply struct{ Data struct{ Result []series } }
	err := get(e.prometheus+"/api/v1/query", url.Values{"query": {query}}, &reply)
	return reply.Data.Result, err
}

// increase returns by how much counters have grown since a time, from their samples: PromQL's function of that name
// extrapolates.
func (e engines) increase(selector string, since time.Time) (int, error) {
	var reply struct {
		Data struct{ Result []struct{ Values [][2]any } }
	}
	if err := get(e.prometheus+"/api/v1/query", url.Values{"query": {selector + "[30m]"}}, &reply); err != nil {
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

// logQL returns the labels and metadata of the log records since a time that a query selects.
func (e engines) logQL(query string, since time.Time) ([]map[string]string, error) {
	var reply struct {
		Data struct {
			Result []struct {
				Stream map[string]string
				Values [][2]string
			}
		}
	}
	err := get(e.loki+"/loki/api/v1/query_range", url.Values{
		"query": {query}, "limit": {"5000"}, "start": {strconv.FormatInt(since.UnixNano(), 10)},
	}, &reply)
	var records []map[string]string
	for _, stream := range reply.Data.Result {
		for range stream.Values {
			records = append(records, stream.Stream)
		}
	}
	return records, err
}

// span is a span as Tempo returns it, with the attributes of its resource.
type span struct {
	id, parent, kind, name string
	resource               map[string]string
}

type attributes []struct {
	Key   string
	Value map[string]any
}

// trace fetches a whole trace.
func (e engines) trace(id string) ([]span, error) {
	var reply struct {
		Trace struct {
			ResourceSpans []struct {
				Resource   struct{ Attributes attributes }
				ScopeSpans []struct {
					Spans []struct{ SpanID, ParentSpanID, Name, Kind string }
				}
			}
		}
	}
	if err := get(e.tempo+"/api/v2/traces/"+id, nil, &reply); err != nil {
		return nil, err
	}
	var spans []span
	for _, group := range reply.Trace.ResourceSpans {
		resource := make(map[string]string)
		for _, attribute := range group.Resource.Attributes {
			for _, value := range attribute.Value { // one entry: its type and the value
				resource[attribute.Key] = fmt.Sprint(value)
			}
		}
		for _, scope := range group.ScopeSpans {
			for _, s := range scope.Spans {
				spans = append(spans, span{decodeID(s.SpanID), decodeID(s.ParentSpanID), s.Kind, s.Name, resource})
			}
		}
	}
	return spans, nil
}

// decodeID returns the id of a span in hexadecimal. In JSON Tempo has it in base64.
func decodeID(id string) string {
	raw, err := base64.StdEncoding.DecodeString(id)
	if err != nil {
		return id
	}
	return hex.EncodeToString(raw)
}
