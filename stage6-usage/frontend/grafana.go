package main

import (
	"encoding/json"
	"fmt"
	"net/url"
)

// traceURL returns the URL of a trace in Grafana's Explore.
func traceURL(grafana, id string) string {
	type object = map[string]any
	panes, err := json.Marshal(object{"trace": object{
		"datasource": "tempo",
		"queries":    []object{{"refId": "A", "datasource": object{"type": "tempo", "uid": "tempo"}, "queryType": "traceql", "query": id}},
		"range":      object{"from": "now-1h", "to": "now"},
	}})
	if err != nil {
		panic(fmt.Errorf("encoding the query for Grafana: %w", err)) // cannot happen with maps of strings
	}
	return grafana + "/explore?" + url.Values{"schemaVersion": {"1"}, "orgId": {"1"}, "panes": {string(panes)}}.Encode()
}
