//go:build measurements

package measurements

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"example.com/dice/observability/upkeep/internal/engine"
	"example.com/dice/observability/upkeep/internal/stack"
	"example.com/dice/observability/upkeep/internal/table"
)

// TestLoad asks the roll service as fast as it can reply, in the first stage and the last. It writes a table of the README.
func TestLoad(t *testing.T) {
	tb := table.New("Stage", "Clients", "Requests per second", "Failed", "Spans lost", "Log records lost", "Requests not counted", "Refused by the collector")
	for _, stage := range []string{first, last} {
		t.Run(stage, func(t *testing.T) {
			s := stack.Start(t, repository, stage, "NUM_USERS=1", "MAX_ROLLS_PER_USER=1", "MAX_WAIT=0s")
			s.WaitForTraffic(t)
			for _, clients := range []int{4, 64} {
				t.Run(fmt.Sprint(clients, " clients"), func(t *testing.T) { highestRate(t, s, clients, tb) })
			}
		})
	}
	writeTable(t, tb, "rate")
}

// tally is what the stack has of the roll service's work.
type tally struct{ requests, spans, logs, refused int }

// takeTally waits until nothing is on its way any more.
func takeTally(t *testing.T) tally {
	t.Helper()
	got := tally{requests: -1}
	stack.Eventually(t, "the tally", func() error {
		var now tally
		var errs [4]error
		now.requests, errs[0] = requests("roll")
		now.spans, errs[1] = engine.Local.Total(`traces_span_metrics_calls_total{service_name="roll",span_kind="SPAN_KIND_SERVER"}`)
		now.logs, errs[2] = engine.Local.LogCount(`{service_name="roll"} | trace_id != ""`)
		now.refused, errs[3] = engine.Local.Total(`{__name__=~"otelcol_receiver_refused_.+_total"}`)
		if err := errors.Join(errs[:]...); err != nil {
			return err
		}
		if now != got {
			got = now
			wait(6 * time.Second) // longer than the interval of an export
			return fmt.Errorf("%+v, and perhaps more", got)
		}
		return nil
	})
	return got
}

// highestRate lets clients ask without a pause, and wants all telemetry of it, or a number of what was refused.
func highestRate(t *testing.T, s *stack.Stack, clients int, tb *table.Table) {
	t.Helper()
	const lasts = 30 * time.Second
	settle(t, s)
	before := takeTally(t)
	begin := time.Now()
	n, failed := askWithoutPause(clients, lasts)
	took := time.Since(begin)
	settle(t, s)
	after := takeTally(t)
	if failed > 0 {
		t.Errorf("%d of %d requests failed", failed, n)
	}
	spans, logs, counted, refused := n-(after.spans-before.spans), n-(after.logs-before.logs), n-(after.requests-before.requests), after.refused-before.refused
	if max(spans, logs, counted) > refused {
		t.Errorf("lost: %d spans, %d log records, %d counted requests, and the collector tells of %d", spans, logs, counted, refused)
	}
	tb.Row(number(s.Stage), strconv.Itoa(clients), fmt.Sprintf("%.0f", float64(n)/took.Seconds()), strconv.Itoa(failed),
		strconv.Itoa(spans), strconv.Itoa(logs), strconv.Itoa(counted), strconv.Itoa(refused))
}

// askWithoutPause rolls a die by that many clients for some time. It returns the number of requests, and of those that failed.
func askWithoutPause(clients int, lasts time.Duration) (requests, failed int) {
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: patience}
	var mu sync.Mutex
	var group sync.WaitGroup
	begin := time.Now()
	for range clients {
		group.Go(func() {
			asked, bad := 0, 0
			for ; time.Since(begin) < lasts; asked++ {
				if err := askOnce(client); err != nil {
					bad++
				}
			}
			mu.Lock()
			defer mu.Unlock()
			requests, failed = requests+asked, failed+bad
		})
	}
	group.Wait()
	return requests, failed
}

func askOnce(client *http.Client) error {
	response, err := client.Get(stack.Roll + "/roll?die=fair")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}
