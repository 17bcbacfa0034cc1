package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestMain runs the traffic generator instead of the tests if a test started this binary for that.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_RUN_MAIN") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// target is a roll service that fails every tenth roll, and remembers what it was asked for.
type target struct {
	*httptest.Server

	mu     sync.Mutex
	dice   []string
	traces map[string]bool // W3C trace ids
}

func startTarget(t *testing.T) *target {
	t.Helper()
	got := &target{traces: make(map[string]bool)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /roll", got.roll)
	got.Server = httptest.NewServer(mux)
	t.Cleanup(got.Close)
	return got
}

func (g *target) roll(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dice = append(g.dice, r.URL.Query().Get("die"))
	if parts := strings.Split(r.Header.Get("traceparent"), "-"); len(parts) == 4 {
		g.traces[parts[1]] = true
	}
	if len(g.dice)%10 == 0 {
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// generator is the traffic generator as a process of its own.
func generator(t *testing.T, env ...string) (command *exec.Cmd, stdout, stderr *bytes.Buffer) {
	t.Helper()
	command = exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), append(env, "TEST_RUN_MAIN=1")...)
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	command.Stdout, command.Stderr = stdout, stderr
	return command, stdout, stderr
}

type logLine struct {
	Level, Msg string
	Label      string `json:"user.label"`
	Users      int
	Rolls      int
	Replies    map[string]int
	Median     string
	P95        string
	Grafana    string
}

func logLines(t *testing.T, out *bytes.Buffer) []logLine {
	t.Helper()
	var lines []logLine
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		var line logLine
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			t.Fatalf("not a JSON line: %s", scanner.Text())
		}
		lines = append(lines, line)
	}
	return lines
}

func TestRunIsReportedAsItWas(t *testing.T) {
	got := startTarget(t)
	command, stdout, stderr := generator(t, "TARGET_URL="+got.URL, "NUM_USERS=5", "MAX_ROLLS_PER_USER=30", "SEED=1",
		"GRAFANA_URL=http://localhost:3000")
	if err := command.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("exit: %v, stderr: %s", err, stderr)
	}

	lines := logLines(t, stdout)
	var finished []string
	for _, line := range lines[1 : len(lines)-1] {
		if line.Msg != "user finished its last roll" {
			t.Errorf("unexpected log line %+v", line)
		}
		finished = append(finished, line.Label)
	}
	slices.Sort(finished)
	if want := []string{"User 1", "User 2", "User 3", "User 4", "User 5"}; !slices.Equal(finished, want) {
		t.Errorf("finished: %v, want %v", finished, want)
	}

	last, rolls := lines[len(lines)-1], len(got.dice)
	if last.Msg != "traffic generation is complete" || last.Users != 5 || last.Rolls != rolls {
		t.Errorf("last line %+v, want 5 users and %d rolls", last, rolls)
	}
	if last.Replies["500"] != rolls/10 || last.Replies["200"] != rolls-rolls/10 {
		t.Errorf("replies %v of %d rolls, every tenth of which failed", last.Replies, rolls)
	}
	if last.Median == "" || last.P95 == "" || last.Grafana != "http://localhost:3000" {
		t.Errorf("last line %+v lacks something", last)
	}
	if len(got.traces) != rolls {
		t.Errorf("%d traces for %d rolls", len(got.traces), rolls)
	}
}

func TestFailuresEndInOneLineAndExitCode1(t *testing.T) {
	away := httptest.NewServer(http.NotFoundHandler())
	away.Close()
	sick := httptest.NewServer(http.NotFoundHandler())
	defer sick.Close()
	tests := []struct{ env, want string }{
		{"TARGET_URL=", "traffic: TARGET_URL is not set\n"},
		{"TARGET_URL=roll:8080", "traffic: TARGET_URL=\"roll:8080\": want a URL such as http://localhost:8081\n"},
		{"NUM_USERS=0", "traffic: NUM_USERS=\"0\": want a whole number from 1 to 100000\n"},
		{"MAX_ROLLS_PER_USER=many", "traffic: MAX_ROLLS_PER_USER=\"many\": want a whole number from 1 to 1000000\n"},
		{"TARGET_URL=" + away.URL, fmt.Sprintf("traffic: cannot reach TARGET_URL=%q: ", away.URL)},
		{"TARGET_URL=" + sick.URL, fmt.Sprintf("traffic: cannot reach TARGET_URL=%q: its health check answers 404 Not Found\n", sick.URL)},
	}
	for _, test := range tests {
		t.Run(test.env, func(t *testing.T) {
			command, stdout, stderr := generator(t, "TARGET_URL=http://localhost", test.env)
			err := command.Run()
			if command.ProcessState.ExitCode() != 1 {
				t.Errorf("exit: %v", err)
			}
			if got := stderr.String(); !strings.HasPrefix(got, test.want) || strings.Count(got, "\n") != 1 {
				t.Errorf("stderr %q, want one line %q", got, test.want)
			}
			if stdout.Len() > 0 {
				t.Errorf("stdout %q, want nothing", stdout)
			}
		})
	}
}

func TestInterruptEndsTheRun(t *testing.T) {
	asked := make(chan struct{}, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /roll", func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	})
	server := httptest.NewServer(mux)
	defer server.Close()

	command, stdout, stderr := generator(t, "TARGET_URL="+server.URL, "NUM_USERS=1")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); command.ProcessState.ExitCode() != 1 {
		t.Errorf("exit: %v", err)
	}
	if want := "traffic: interrupted before all users were done\n"; stderr.String() != want {
		t.Errorf("stderr %q, want %q", stderr, want)
	}
	if lines := logLines(t, stdout); lines[len(lines)-1].Msg != "traffic generation was interrupted" {
		t.Errorf("last line %+v", lines[len(lines)-1])
	}
}

func TestSeedRepeatsTheChoicesOfEachUser(t *testing.T) {
	choices := func(seed uint64) (all []string) {
		for _, u := range newUsers(config{users: 3, maxRollsPerUser: 50, seed: seed}) {
			line := u.label
			for range u.rolls {
				line += " " + u.pick()
			}
			all = append(all, line)
		}
		return all
	}
	if first, second := choices(1), choices(1); !slices.Equal(first, second) {
		t.Errorf("the same seed chose\n%v\nand\n%v", first, second)
	}
	if first, other := choices(1), choices(2); slices.Equal(first, other) {
		t.Error("another seed chose the same")
	}
}

func TestUsersDrawRollsAndDiceEvenly(t *testing.T) {
	const users, maxRolls, picks = 6000, 6, 10
	var rolls [maxRolls + 1]float64
	risky := 0.0
	for _, u := range newUsers(config{users: users, maxRollsPerUser: maxRolls, seed: 1}) {
		rolls[u.rolls]++ // panics for more than maxRolls
		for range picks {
			if u.pick() == "risky" {
				risky++
			}
		}
	}
	if rolls[0] > 0 {
		t.Errorf("%v users do not roll at all", rolls[0])
	}
	// Five standard deviations of a count out of n with probability p.
	tolerance := func(n, p float64) float64 { return 5 * math.Sqrt(n*p*(1-p)) }
	for n, count := range rolls[1:] {
		if want := float64(users) / maxRolls; math.Abs(count-want) > tolerance(users, 1./maxRolls) {
			t.Errorf("%v users roll %d times, want about %v", count, n+1, want)
		}
	}
	if want := users * picks / 2.; math.Abs(risky-want) > tolerance(users*picks, 0.5) {
		t.Errorf("%v of %d picks are risky, want about %v", risky, users*picks, want)
	}
}

func TestQuantile(t *testing.T) {
	tests := []struct {
		n    int
		q    float64
		want time.Duration
	}{
		{0, 0.5, 0}, {1, 0.5, 1}, {1, 0.95, 1}, {2, 0.5, 1}, {3, 0.5, 2}, {20, 0.95, 19}, {100, 0.95, 95}, {101, 0.95, 96},
	}
	for _, test := range tests {
		var sorted []time.Duration
		for i := range test.n {
			sorted = append(sorted, time.Duration(i+1))
		}
		if got := quantile(sorted, test.q); got != test.want {
			t.Errorf("quantile %v of 1 to %d is %d, want %d", test.q, test.n, got, test.want)
		}
	}
}
