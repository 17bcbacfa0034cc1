//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/upkeep/internal/dashboard"
	"example.com/dice/observability/upkeep/internal/engine"
	"example.com/dice/observability/upkeep/internal/probe"
	"example.com/dice/observability/upkeep/internal/stack"
)

// checkPanels wants data for each query of each panel, and not only zeros unless the panel's description speaks of
// zero. Without Grafana it asks the engines what Grafana would.
func checkPanels(t *testing.T, stage string) {
	t.Helper()
	boards, err := dashboard.Read(repository, stage)
	if err != nil {
		t.Fatal(err)
	}
	for _, board := range boards {
		enterTrace(t, board)
		for _, panel := range board.All() {
			for _, target := range panel.Targets {
				stack.Eventually(t, fmt.Sprintf("panel %q of %q", panel.Title, board.Title), func() error {
					source, query := board.Expand(target)
					if source == "prometheus" && !strings.Contains(strings.ToLower(panel.Description), "zero") {
						query = fmt.Sprintf("(%s) != 0", query)
					}
					return hasData(source, query)
				})
				if panel.Type == "timeseries" && target.Datasource.UID == "prometheus" {
					_, query := board.Expand(target)
					if n, err := engine.Local.Total("count(" + query + ")"); err != nil || n > mostSeries {
						t.Errorf("panel %q of %q: %d series, %v", panel.Title, board.Title, n, err)
					}
				}
			}
		}
	}
}

const mostSeries = 8 // of one query, in a legend

// enterTrace gives the variable for a trace the ID of a failed request, as readers do.
func enterTrace(t *testing.T, board dashboard.Dashboard) {
	t.Helper()
	for i, variable := range board.Templating.List {
		if variable.Name == "trace_id" {
			ids, err := engine.Local.TraceQL(`{ span:name = "roll die" && span:status = error } with (most_recent=true)`)
			if err != nil || len(ids) == 0 {
				t.Fatalf("no failed roll: %v", err)
			}
			board.Templating.List[i].Query = strings.Repeat("0", 32-len(ids[0])) + ids[0]
		}
	}
}

// errNoData says that a query is right and finds nothing.
var errNoData = errors.New("no data")

// computed matches a TraceQL query that computes a metric from spans.
var computed = regexp.MustCompile(`\|\s*(rate|quantile_over_time|compare)\(`)

// hasData asks a data source. It fails if there is no answer, and with errNoData if the answer is empty.
func hasData(source, query string) error {
	var n int
	var err error
	switch source {
	case "prometheus":
		n, err = countSamples(probe.Dice, engine.Local.Prometheus+"/api/v1/query_range", query)
	case "loki":
		n, err = countSamples(probe.Dice, engine.Local.Loki+"/loki/api/v1/query_range", query)
	case "usage":
		n, err = countSamples(probe.Usage, engine.Local.Loki+"/loki/api/v1/query_range", query)
	case "tempo":
		if computed.MatchString(query) {
			n, err = engine.Local.TraceQLSeries(query)
			break
		}
		var ids []string
		ids, err = engine.Local.TraceQL(query)
		n = len(ids)
	default:
		err = fmt.Errorf("unknown data source %q", source)
	}
	if err == nil && n == 0 {
		err = fmt.Errorf("%w: %s", errNoData, query)
	}
	return err
}

// countSamples returns how many numbers or log lines a query gives for the last ten minutes. On a busy machine, the beginning of the
// traffic, when users sign in, is longer ago than the five minutes that dashboards show.
func countSamples(tenant, address, query string) (int, error) {
	var reply struct {
		Data struct {
			Result []struct{ Values [][2]any }
		}
	}
	now := time.Now()
	err := engine.GetJSON(tenant, address, url.Values{
		"query": {query},
		"start": {strconv.FormatInt(now.Add(-10*time.Minute).Unix(), 10)},
		"end":   {strconv.FormatInt(now.Unix(), 10)},
		"step":  {"5"},
	}, &reply)
	n := 0
	for _, series := range reply.Data.Result {
		for _, value := range series.Values {
			if value[1] != "NaN" {
				n++
			}
		}
	}
	return n, err
}

// checkAlert wants the alert that the risky die fails too often, while the traffic goes on.
func checkAlert(t *testing.T) {
	stack.Eventually(t, "the alert", func() error {
		var reply struct {
			Data struct {
				Alerts []struct {
					Labels map[string]string
					State  string
				}
			}
		}
		if err := engine.GetJSON(probe.Dice, engine.Local.Prometheus+"/api/v1/alerts", nil, &reply); err != nil {
			return err
		}
		for _, alert := range reply.Data.Alerts {
			if alert.Labels["alertname"] == "RollsFailTooOften" && alert.Labels["die_identifier"] == "risky" && alert.State == "firing" {
				return nil
			}
		}
		return errors.New("it does not fire")
	})
}
