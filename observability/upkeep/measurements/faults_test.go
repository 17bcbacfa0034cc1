//go:build measurements

package measurements

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/upkeep/internal/stack"
	"example.com/dice/observability/upkeep/internal/table"
)

const (
	// patience is longer than any bound of the services (15 s for a roll, 2 s for a lookup) and than a pause.
	patience = 25 * time.Second
	// recovery is how long after the end of a fault its users may still see it.
	recovery = 5 * time.Second
	// unnoticed is the longest run that a fault of the stack may cause: a roll waits for a second at most.
	unnoticed = 2500 * time.Millisecond
)

// fault is what happens to a stage under load.
type fault struct {
	name  string
	begin func(t *testing.T, s *stack.Stack)
	lasts time.Duration
	end   func(t *testing.T, s *stack.Stack)

	killed   string // the service or engine that loses what it has in memory
	statuses []int  // what users may see, besides what dice give them
	drops    bool   // the collector may lose what it has acknowledged

	begun, broken, mended time.Time
}

var (
	upstreamAway = []int{502, 503, 504}
)

// fullDisk needs a stack of its own, whose collector has a small disk.
var fullDisk = fault{name: "disk of the collector's queue full for 20 s", begin: fillQueue, lasts: 20 * time.Second, end: emptyQueue, drops: true}

// faults are those that cost something, and those that one might fear would. Prometheus and Loki behave like Tempo, but for
// the spans that Tempo holds in memory.
func faults() []fault {
	return []fault{
		killed("roll", upstreamAway...),
		killed("frontend", 0, 403),
		killed("die", upstreamAway...),
		killed("collector"),
		killed("tempo"),
		paused("die", upstreamAway...),
		paused("collector"),
		{name: "collector stopped for 30 s", begin: compose("stop", "collector"), lasts: 30 * time.Second, end: compose("start", "collector")},
		{name: "network cut between collector and engines for 60 s", begin: stack.Disconnect, lasts: time.Minute, end: stack.Connect},
		{name: "database locked for 10 s", begin: lockDatabase, statuses: []int{503}},
	}
}

func killed(service string, statuses ...int) fault {
	return fault{
		name:  service + " killed, and started again",
		begin: compose("kill", "--signal=KILL", service), end: compose("start", service), killed: service, statuses: statuses,
	}
}

func paused(service string, statuses ...int) fault {
	return fault{
		name:  service + " paused for 20 s",
		begin: compose("pause", service), lasts: 20 * time.Second, end: compose("unpause", service), statuses: statuses,
	}
}

func compose(arguments ...string) func(*testing.T, *stack.Stack) {
	return func(t *testing.T, s *stack.Stack) { s.Compose(t, arguments...) }
}

// TestFaults breaks one part of the last stage after the other under load, and wants users who see only what they must, and
// all telemetry that was acknowledged. It writes a table of the README.
func TestFaults(t *testing.T) {
	tb := table.New("Fault", "Runs", "Users saw, besides dice", "Longest", "Hung", "Acknowledged and lost", "Lost before that", "Right again after")
	t.Run("all but the disk", func(t *testing.T) {
		s := stack.Start(t, repository, last, "NUM_USERS=1", "MAX_ROLLS_PER_USER=1")
		s.WaitForTraffic(t)
		for _, f := range faults() {
			t.Run(f.name, func(t *testing.T) { f.row(t, s, tb) })
		}
	})
	t.Run(fullDisk.name, func(t *testing.T) {
		s := stack.Start(t, repository, last, "NUM_USERS=1", "MAX_ROLLS_PER_USER=1", "COMPOSE_FILE="+smallQueue(t))
		s.WaitForTraffic(t)
		fullDisk.row(t, s, tb)
	})
	writeTable(t, tb, "faults")
}

// row tries the fault, and adds what it cost to a table.
func (f fault) row(t *testing.T, s *stack.Stack, tb *table.Table) {
	t.Helper()
	cells := append([]string{f.name}, f.try(t, s)...)
	t.Log(strings.Join(cells, " | "))
	tb.Row(cells...)
}

// try puts the fault in, takes it away, and returns what it cost.
func (f fault) try(t *testing.T, s *stack.Stack) []string {
	t.Helper()
	settle(t, s)
	a := newAccount(t, services(t, s))
	l := startLoad(t, 8)
	wait(3 * time.Second)
	f.begun = time.Now()
	f.begin(t, s)
	f.broken = time.Now()
	wait(f.lasts)
	if f.end != nil {
		f.end(t, s)
	}
	f.mended = time.Now()
	right := f.untilRight(t, s, a)
	if rest := recovery + time.Second - time.Since(f.mended); rest > 0 {
		wait(rest)
	}
	runs := l.end()
	seen := f.checkRuns(t, runs)
	acknowledged, other := f.untilComplete(t, s, a)
	return []string{strconv.Itoa(len(runs)), seen, longest(runs), strconv.Itoa(hung(runs, patience)), acknowledged.String(), other.String(), fmt.Sprintf("%.0f s", right.Seconds())}
}

// settle waits until the metrics have counted all requests so far.
func settle(t *testing.T, s *stack.Stack) {
	t.Helper()
	for _, service := range services(t, s) {
		before := -1
		stack.Eventually(t, "the metrics of "+service, func() error {
			now, err := requests(service)
			if err == nil && now != before {
				before, err = now, fmt.Errorf("%d requests, and perhaps more", now)
				wait(6 * time.Second) // longer than the interval of the export
			}
			return err
		})
	}
}

// checkRuns wants failures that the fault explains, during the fault alone, and an end of each run. It returns
// what users saw besides dice.
func (f fault) checkRuns(t *testing.T, runs []run) string {
	t.Helper()
	seen := make(map[int]int)
	during := 0
	for _, r := range runs {
		switch {
		case r.status == 200 || r.status == 500: // risky dice fail
		case r.status == 403 && r.begin.Before(f.begun): // the first run of each user, see visitor
		case !slices.Contains(f.statuses, r.status):
			t.Errorf("a user saw %d", r.status)
		case r.end.Before(f.begun) || r.begin.After(f.mended.Add(recovery)):
			t.Errorf("a user saw %d at %s, without need: the fault was from %s to %s", r.status, r.begin, f.begun, f.mended)
		default:
			seen[r.status]++
			during++
		}
	}
	allowed := patience
	if len(f.statuses) == 0 {
		allowed = unnoticed
	}
	if n := hung(runs, allowed); n > 0 {
		t.Errorf("%d of %d runs took longer than %s, the longest %s", n, len(runs), allowed, longest(runs))
	}
	if during == 0 {
		return "nothing"
	}
	return statusList(seen)
}

func statusList(seen map[int]int) string {
	var list []string
	for _, status := range slices.Sorted(maps.Keys(seen)) {
		what := strconv.Itoa(status)
		if status == 0 {
			what = "no response"
		}
		list = append(list, fmt.Sprintf("%d × %s", seen[status], what))
	}
	return strings.Join(list, ", ")
}

func hung(runs []run, allowed time.Duration) int {
	n := 0
	for _, r := range runs {
		if r.end.Sub(r.begin) > allowed {
			n++
		}
	}
	return n
}

func longest(runs []run) string {
	var most time.Duration
	for _, r := range runs {
		most = max(most, r.end.Sub(r.begin))
	}
	return fmt.Sprintf("%.1f s", most.Seconds())
}

// wait lets the fault last. It is the length of an outage, not the bound of a check.
func wait(d time.Duration) { <-time.After(d) }
