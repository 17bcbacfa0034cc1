// Package grafana looks at dashboards and traces in a running Grafana, with a browser and through Grafana's API.
package grafana

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Grafana is the address of a running Grafana, such as http://localhost:3000.
type Grafana string

// DashboardURL is the address of a dashboard in kiosk mode, which shows the last five minutes and stays as it is.
func (g Grafana) DashboardURL(uid string, variables url.Values) string {
	query := url.Values{"from": {"now-5m"}, "to": {"now"}, "refresh": {""}}
	for name, values := range variables {
		query["var-"+name] = values
	}
	return string(g) + "/d/" + uid + "?kiosk&" + query.Encode()
}

// Traces returns the IDs of traces that a TraceQL query finds, the newest first.
func (g Grafana) Traces(ctx context.Context, query string) ([]string, error) {
	var found struct{ Traces []struct{ TraceID string } }
	path := "/api/datasources/proxy/uid/tempo/api/search?" +
		url.Values{"q": {query + " with (most_recent=true)"}, "limit": {"20"}}.Encode()
	if err := g.Get(ctx, path, &found); err != nil {
		return nil, err
	}
	var ids []string
	for _, trace := range found.Traces {
		ids = append(ids, strings.Repeat("0", 32-len(trace.TraceID))+trace.TraceID) // Tempo leaves out leading zeros
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("no trace matches %s", query)
	}
	return ids, nil
}

// Get reads the JSON at a path into value.
func (g Grafana) Get(ctx context.Context, path string, value any) error {
	return g.call(ctx, http.MethodGet, path, nil, value)
}

// Query sends the queries of a panel through Grafana to their data source, as the panel does, and fails if the answer to one of them
// has no values.
func (g Grafana) Query(ctx context.Context, queries []json.RawMessage) error {
	body, err := json.Marshal(map[string]any{"from": "now-5m", "to": "now", "queries": queries})
	if err != nil {
		return err
	}
	var reply struct {
		Results map[string]struct {
			Error  string
			Frames []struct{ Data struct{ Values [][]any } }
		}
	}
	if err := g.call(ctx, http.MethodPost, "/api/ds/query", body, &reply); err != nil {
		return err
	}
	if len(reply.Results) != len(queries) {
		return fmt.Errorf("%d results for %d queries", len(reply.Results), len(queries))
	}
	for ref, result := range reply.Results {
		if result.Error != "" {
			return fmt.Errorf("query %s: %s", ref, result.Error)
		}
		values := 0
		for _, frame := range result.Frames {
			for _, column := range frame.Data.Values {
				values += len(column)
			}
		}
		if values == 0 {
			return fmt.Errorf("query %s: no data", ref)
		}
	}
	return nil
}

func (g Grafana) call(ctx context.Context, method, path string, body []byte, value any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, string(g)+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("asking Grafana: %w", err)
	}
	content, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return fmt.Errorf("reading Grafana's response: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, content)
	}
	if err := json.Unmarshal(content, value); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}
