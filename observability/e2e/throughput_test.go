//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/dice/observability/internal/table"
)

// TestLoad runs as many users as the traffic generator can have in earnest, and the roll service as fast as it can, and writes the
// tables of the README anew. It is run on demand, LOAD=1.
func TestLoad(t *testing.T) {
	if os.Getenv("LOAD") == "" {
		t.Skip("LOAD is not set")
	}
	users := table.New("Stage", "Users", "Rolls", "Replies", "Median", "95 %", "Spans dropped", "Log records dropped", "Container", "Most memory", "CPU for each roll")
	rate := table.New("Stage", "Clients", "Requests per second", "Failed", "Spans lost", "Log records lost", "Requests not counted", "Refused by the collector")
	for _, stage := range stages(t) {
		if !strings.HasPrefix(stage, "stage1-") && !strings.HasPrefix(stage, "stage6-") {
			continue
		}
		t.Run(stage, func(t *testing.T) {
			s := start(t, repository, stage, "NUM_USERS=1", "MAX_ROLLS_PER_USER=1")
			s.waitForTraffic(t)
			t.Run("users", func(t *testing.T) { manyUsers(t, s, users) })
			s.env = append(s.env, "MAX_WAIT=0s")
			s.compose(t, "up", "--detach", "--no-deps", "--wait", "roll")
			for _, clients := range []int{4, 64} {
				t.Run(fmt.Sprint(clients, " clients"), func(t *testing.T) { highestRate(t, s, clients, rate) })
			}
		})
	}
	writeTable(t, users, "users")
	writeTable(t, rate, "rate")
}

// manyUsers runs 10,000 users at once, each in a browser of its own.
func manyUsers(t *testing.T, s *stack, tb *table.Table) {
	t.Helper()
	const users = 10000
	services := append(s.services(t), "collector")
	before := make(map[string]resources)
	for _, service := range services {
		before[service] = s.resources(t, service)
	}
	had := takeTally(t)
	var generated summary
	most := s.watch(t, services, func() { generated = s.traffic(t, users, 2, func() {}) })
	if generated.Rolls == 0 {
		t.Fatal("no traffic")
	}
	replies := 0
	for _, n := range generated.Replies {
		replies += n
	}
	if none := generated.Replies["none"]; replies != generated.Rolls || (none > 0 && number(s.stage) == "stage 1") {
		t.Errorf("%d of %d rolls ended, %d of them without a reply", replies, generated.Rolls, none)
	}
	settle(t, s)
	dropped := takeTally(t).missing(had)
	for i, container := range append([]string{"traffic"}, services...) {
		cells := make([]string, 8)
		if i == 0 {
			cells = []string{number(s.stage), strconv.Itoa(users), strconv.Itoa(generated.Rolls), replyList(generated.Replies),
				generated.Median, generated.P95, strconv.Itoa(dropped.spans), strconv.Itoa(dropped.logs)}
		}
		cpu := (most[container].cpu - before[container].cpu) / time.Duration(generated.Rolls)
		tb.Row(append(cells, container, megabytes(most[container].memory), fmt.Sprintf("%.2f ms", cpu.Seconds()*1000))...)
	}
}

// watch returns the most memory and the CPU time of the services, and of the traffic generator, while run runs.
func (s *stack) watch(t *testing.T, services []string, run func()) map[string]resources {
	t.Helper()
	most := make(map[string]resources)
	done := make(chan struct{})
	go func() {
		defer close(done)
		run()
	}()
	for {
		select {
		case <-done:
			return most
		case <-time.After(time.Second):
			for _, service := range services {
				most[service] = higher(most[service], s.resources(t, service))
			}
			if id := s.oneOff(t); id != "" {
				if now, err := resourcesOf(id); err == nil { // it may have ended meanwhile
					most["traffic"] = higher(most["traffic"], now)
				}
			}
		}
	}
}

// replyList is the replies by status, in a line. A reply that took longer than a user waits is none.
func replyList(replies map[string]int) string {
	var list []string
	for _, status := range slices.Sorted(maps.Keys(replies)) {
		list = append(list, fmt.Sprintf("%d × %s", replies[status], status))
	}
	return strings.Join(list, ", ")
}

// higher returns the later CPU time and the larger memory. A container that has just ended has neither.
func higher(a, b resources) resources {
	return resources{memory: max(a.memory, b.memory), cpu: max(a.cpu, b.cpu)}
}

// oneOff returns the container of docker compose run, if there is one.
func (s *stack) oneOff(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(s.docker(t, "ps", "--quiet", "--filter", "label=com.docker.compose.project="+s.stage, "--filter", "label=com.docker.compose.oneoff=True"))
}

// tally is what the stack has of the roll service's work.
type tally struct{ requests, spans, logs, refused int }

// missing returns what the spans and log records since before lack of the requests that were counted.
func (a tally) missing(before tally) tally {
	counted := a.requests - before.requests
	return tally{spans: counted - (a.spans - before.spans), logs: counted - (a.logs - before.logs)}
}

// takeTally waits until nothing is on its way any more.
func takeTally(t *testing.T) tally {
	t.Helper()
	got := tally{requests: -1}
	eventually(t, "the tally", func() error {
		var now tally
		var errs [4]error
		now.requests, errs[0] = requests("roll")
		now.spans, errs[1] = total(`traces_span_metrics_calls_total{service_name="roll",span_kind="SPAN_KIND_SERVER"}`)
		now.logs, errs[2] = logCount(`{service_name="roll"} | trace_id != ""`)
		now.refused, errs[3] = total(`{__name__=~"otelcol_receiver_refused_.+"}`)
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
func highestRate(t *testing.T, s *stack, clients int, tb *table.Table) {
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
	tb.Row(number(s.stage), strconv.Itoa(clients), fmt.Sprintf("%.0f", float64(n)/took.Seconds()), strconv.Itoa(failed),
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
	response, err := client.Get(roll + "/roll?die=fair")
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
