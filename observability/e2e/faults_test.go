//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/internal/table"
)

const (
	// patience is longer than any bound of the services (15 s for a roll, 2 s for a look-up) and than a pause.
	patience = 25 * time.Second
	// recovery is how long after the end of a fault its users may still see it.
	recovery = 5 * time.Second
	// unnoticed is the longest run that a fault of the stack may cause: a roll waits for a second at most.
	unnoticed = 2500 * time.Millisecond
)

// fault is what happens to a stage under load.
type fault struct {
	name   string
	stages []string // that it is tried in; empty: those in which all faults are
	always bool     // also in the short selection, in the last stage
	begin  func(t *testing.T, s *stack)
	lasts  time.Duration
	end    func(t *testing.T, s *stack)

	killed   string // the service or engine that loses what it has in memory
	statuses []int  // what users may see, beside what a die that is well gives them
	drops    bool   // the collector may lose what it has acknowledged

	begun, broken, mended time.Time
}

var (
	upstreamAway = []int{502, 503, 504}
	backends     = []string{"prometheus", "loki", "tempo"}
)

// fullDisk needs a stack of its own, whose collector has a small disk.
var fullDisk = fault{name: "disk of the collector's queue full for 20 s", begin: fillQueue, lasts: 20 * time.Second, end: emptyQueue, drops: true}

func faults() []fault {
	return []fault{
		killed("roll", upstreamAway...),
		killed("frontend", 0, 401),
		killed("die", upstreamAway...),
		killed("collector"),
		killed("prometheus"),
		killed("loki"),
		killed("tempo"),
		paused("roll", upstreamAway...),
		paused("frontend", append(upstreamAway, 0)...), // its time-outs pass while it is paused
		paused("die", upstreamAway...),
		paused("collector"),
		paused("prometheus"),
		paused("loki"),
		paused("tempo"),
		{name: "collector stopped for 30 s", always: true, begin: compose("stop", "collector"), lasts: 30 * time.Second, end: compose("start", "collector")},
		{name: "network cut between collector and back ends for 60 s", always: true, begin: disconnect, lasts: time.Minute, end: connect},
		{name: "database locked for 10 s", always: true, stages: []string{"stage6-usage"}, begin: lockDatabase, statuses: []int{503}},
	}
}

func killed(service string, statuses ...int) fault {
	return fault{
		name: service + " killed, and started again", always: slices.Contains([]string{"roll", "collector", "tempo"}, service),
		begin: compose("kill", "--signal=KILL", service), end: compose("start", service), killed: service, statuses: statuses,
	}
}

func paused(service string, statuses ...int) fault {
	return fault{
		name:  service + " paused for 20 s",
		begin: compose("pause", service), lasts: 20 * time.Second, end: compose("unpause", service), statuses: statuses,
	}
}

func compose(arguments ...string) func(*testing.T, *stack) {
	return func(t *testing.T, s *stack) { s.compose(t, arguments...) }
}

func (f fault) isFor(stage string) bool {
	return len(f.stages) == 0 || slices.Contains(f.stages, stage)
}

// TestFaults breaks one part after the other under load, and wants users who see only what they must, and all telemetry that
// was acknowledged. By default it is a few faults in the last stage; FAULTS=1 tries all, in two stages, and writes the table
// of the README anew.
func TestFaults(t *testing.T) {
	all := os.Getenv("FAULTS") != ""
	tb := table.New("Stage", "Fault", "Runs", "Users saw, beside dice", "Longest", "Hung", "Acknowledged and lost", "Lost before that", "Right again after")
	for _, stage := range stages(t) {
		last := strings.HasPrefix(stage, "stage6-")
		if !last && (!all || !strings.HasPrefix(stage, "stage3-")) {
			continue
		}
		t.Run(stage, func(t *testing.T) {
			s := start(t, repository, stage, "NUM_USERS=1", "MAX_ROLLS_PER_USER=1")
			s.waitForTraffic(t)
			for _, f := range faults() {
				if (!all && !f.always) || !f.isFor(stage) {
					continue
				}
				t.Run(f.name, func(t *testing.T) { f.row(t, s, tb) })
			}
		})
		if all {
			t.Run(stage+" "+fullDisk.name, func(t *testing.T) {
				s := start(t, repository, stage, "NUM_USERS=1", "MAX_ROLLS_PER_USER=1", "COMPOSE_FILE="+smallQueue(t))
				s.waitForTraffic(t)
				fullDisk.row(t, s, tb)
			})
		}
	}
	if all {
		writeTable(t, tb, "faults")
	}
}

// row tries the fault, and adds what it cost to a table.
func (f fault) row(t *testing.T, s *stack, tb *table.Table) {
	t.Helper()
	cells := append([]string{number(s.stage), f.name}, f.try(t, s)...)
	t.Log(strings.Join(cells, " | "))
	tb.Row(cells...)
}

// number returns the first part of a stage's name, such as "stage 3".
func number(stage string) string {
	first, _, _ := strings.Cut(stage, "-")
	return strings.Replace(first, "stage", "stage ", 1)
}

// try puts the fault in, takes it away, and returns what it cost.
func (f fault) try(t *testing.T, s *stack) []string {
	t.Helper()
	settle(t, s)
	a := newAccount(t, s.services(t))
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
func settle(t *testing.T, s *stack) {
	t.Helper()
	for _, service := range s.services(t) {
		before := -1
		eventually(t, "the metrics of "+service, func() error {
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
// what users saw beside dice.
func (f fault) checkRuns(t *testing.T, runs []run) string {
	t.Helper()
	seen := make(map[int]int)
	during := 0
	for _, r := range runs {
		switch {
		case r.status == 200 || r.status == 500: // risky dice fail
		case r.status == 401 && r.begin.Before(f.begun): // the first run of each user, see visitor
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
			what = "no reply"
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
