package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// target is the page of a roll service that fails every tenth roll, and remembers what it was asked for.
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
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { showPage(w, "") })
	mux.HandleFunc("POST /{$}", got.run)
	got.Server = httptest.NewServer(mux)
	t.Cleanup(got.Close)
	return got
}

func showPage(w io.Writer, output string) {
	fmt.Fprintf(w, `<form><select><option value="fair">Fair<option value="risky">Risky</select></form><output>%s</output>`, output)
}

func (g *target) run(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dice = append(g.dice, r.PostFormValue("die"))
	if parts := strings.Split(r.Header.Get("traceparent"), "-"); len(parts) == 4 {
		g.traces[parts[1]] = true
	}
	if len(g.dice)%10 == 0 {
		w.WriteHeader(http.StatusInternalServerError)
		showPage(w, "500 Internal Server Error")
		return
	}
	showPage(w, "200 OK")
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
	for _, die := range got.dice {
		if die != "fair" && die != "risky" {
			t.Errorf("die %q was not on the page", die)
		}
	}
}

func TestFailuresEndInOneLineAndExitCode1(t *testing.T) {
	away := httptest.NewServer(http.NotFoundHandler())
	away.Close()
	sick := httptest.NewServer(http.NotFoundHandler())
	defer sick.Close()
	tests := []struct{ env, want string }{
		{"TARGET_URL=", "traffic: TARGET_URL is not set\n"},
		{"TARGET_URL=roll:8080", "traffic: TARGET_URL=\"roll:8080\": want a URL such as http://localhost:8081, without user, password or query\n"},
		{"NUM_USERS=0", "traffic: NUM_USERS=\"0\": want a whole number from 1 to 100000\n"},
		{"MAX_ROLLS_PER_USER=many", "traffic: MAX_ROLLS_PER_USER=\"many\": want a whole number from 1 to 1000000\n"},
		{"TARGET_URL=" + away.URL, fmt.Sprintf("traffic: cannot reach TARGET_URL=%q: ", away.URL)},
		{"TARGET_URL=" + sick.URL, fmt.Sprintf("traffic: cannot reach TARGET_URL=%q: its health check returned 404 Not Found\n", sick.URL)},
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
	mux.HandleFunc("GET /{$}", func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	})
	server := httptest.NewServer(mux)
	defer server.Close()

	command, stdout, stderr := generator(t, "TARGET_URL="+server.URL, "NUM_USERS=1")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-asked:
	case <-time.After(10 * time.Second):
		t.Fatalf("no roll after 10 s: %s", stderr)
	}
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); command.ProcessState.ExitCode() != 1 {
		t.Errorf("exit: %v", err)
	}
	if want := "traffic: interrupted before all users had finished\n"; stderr.String() != want {
		t.Errorf("stderr %q, want %q", stderr, want)
	}
	if lines := logLines(t, stdout); lines[len(lines)-1].Msg != "traffic generation was interrupted" {
		t.Errorf("last line %+v", lines[len(lines)-1])
	}
}
