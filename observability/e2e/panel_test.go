//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"testing"
	"time"

	"example.com/dice/observability/internal/dashboard"
)

// checkPanels wants data for each query of each panel. Without Grafana it asks the engines what Grafana would.
func checkPanels(t *testing.T, stage string) {
	t.Helper()
	boards, err := dashboard.Read("../..", stage)
	if err != nil {
		t.Fatal(err)
	}
	for _, board := range boards {
		for _, panel := range board.All() {
			for _, target := range panel.Targets {
				eventually(t, fmt.Sprintf("panel %q of %q", panel.Title, board.Title), func() error { return hasData(target) })
			}
		}
	}
}

func hasData(target dashboard.Target) error {
	var n int
	var err error
	switch target.Datasource.UID {
	case "prometheus":
		n, err = countSamples(dashboard.Window(target.Expr))
	case "loki":
		var records []map[string]string
		records, err = logQL(target.Expr)
		n = len(records)
	case "tempo":
		var ids []string
		ids, err = traceQL(target.Query)
		n = len(ids)
	}
	if err == nil && n == 0 {
		err = fmt.Errorf("no data for %s%s", target.Expr, target.Query)
	}
	return err
}

// countSamples returns how many numbers a query gives for the last five minutes.
func countSamples(query string) (int, error) {
	var reply struct {
		Data struct {
			Result []struct{ Values [][2]any }
		}
	}
	now := time.Now()
	err := getJSON(prometheus+"/api/v1/query_range", url.Values{
		"query": {query},
		"start": {strconv.FormatInt(now.Add(-5*time.Minute).Unix(), 10)},
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
	eventually(t, "the alert", func() error {
		var reply struct {
			Data struct {
				Alerts []struct {
					Labels map[string]string
					State  string
				}
			}
		}
		if err := getJSON(prometheus+"/api/v1/alerts", nil, &reply); err != nil {
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
