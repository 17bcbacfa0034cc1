package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/internal/collector"
	"example.com/dice/observability/internal/freeport"
	"example.com/dice/observability/internal/stages"
)

func TestMain(m *testing.M) {
	collector.RunIfChild()
	if err := os.Chdir("../.."); err != nil { // the command is run in the root of the repository
		panic(err)
	}
	os.Exit(m.Run())
}

// setUp sets variables for a run with ports of its own and little traffic.
func setUp(t *testing.T, more ...string) {
	t.Helper()
	common := append(freeport.Variables(), "SEED=1", "MAX_WAIT=10ms", "NUM_USERS=10", "MAX_ROLLS_PER_USER=50")
	for _, variable := range append(common, more...) {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
}

func names(t *testing.T) []string {
	t.Helper()
	all, err := stages.Names(".")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestRun follows the last stage, which has all that the others have, from its first request to Ctrl-C.
func TestRun(t *testing.T) {
	all := names(t)
	setUp(t, "MAX_WAIT=500ms", "MAX_ROLLS_PER_USER=40") // traffic that lasts until the first trace is there
	lines, interrupt, ended := start(t, all[len(all)-1])
	expect(t, lines, "10 users roll ", "The first request", "responses by status: map[200:", "The slowest request", "roll: roll die", "█",
		"A failed request")
	expectOneOf(t, lines, "ERROR roll failed", "ERROR batch failed")
	expect(t, lines, "Requests by service and route", "p95", "roll: GET /roll", "Dice rolled", "failed", "fair", "risky",
		"Log records by tenant", "roll: rolled", "│   dice │", "│  usage │", "The stage is still running",
		"Open http://localhost:"+os.Getenv("FRONTEND_PORT"))
	roll := "http://localhost:" + os.Getenv("ROLL_PORT")
	expect(t, lines, "curl '"+roll+"/roll?die=fair'")
	get(t, roll+"/roll?die=blue")
	expect(t, lines, "Your request", "WARN roll refused")
	get(t, roll+"/roll-async?die=fair&times=50")
	expect(t, lines, "… and 31 more") // of a lookup and 50 rolls
	interrupt()
	if err := <-ended; err != nil {
		t.Errorf("Ctrl-C: %v", err)
	}
}

// TestOnce wants the report of the first stage, and then an end.
func TestOnce(t *testing.T) {
	setUp(t)
	var out strings.Builder
	if err := run(t.Context(), []string{"-once", names(t)[0]}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"10 users roll ", "responses by status: map[200:", "The slowest request", "roll: roll die", "█", "A failed request", "ERROR roll failed",
		"roll: GET /roll", "p95", "failed", "fair", "risky",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	for _, later := range []string{"Log records by tenant", "still running"} {
		if strings.Contains(out.String(), later) {
			t.Errorf("the report has %q", later)
		}
	}
	if t.Failed() {
		t.Log(&out)
	}
}

// start runs the command with a stage. Interrupt is Ctrl-C.
func start(t *testing.T, arguments ...string) (lines *bufio.Scanner, interrupt func(), ended <-chan error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	t.Cleanup(cancel)
	out, in := io.Pipe()
	end := make(chan error, 1)
	go func() {
		err := run(ctx, arguments, in)
		in.Close()
		end <- err
	}()
	t.Cleanup(func() { // also after a failure the stage's processes must end
		cancel()
		_, _ = io.Copy(io.Discard, out)
	})
	interrupted := func() {
		cancel()
		go func() { _, _ = io.Copy(io.Discard, out) }()
	}
	return bufio.NewScanner(out), interrupted, end
}

// expect wants lines that contain these texts, in this order. Several may be in one line.
func expect(t *testing.T, lines *bufio.Scanner, wants ...string) {
	t.Helper()
	for _, want := range wants {
		expectOneOf(t, lines, want)
	}
}

func expectOneOf(t *testing.T, lines *bufio.Scanner, wants ...string) {
	t.Helper()
	for {
		for _, want := range wants {
			if strings.Contains(lines.Text(), want) {
				return
			}
		}
		if !lines.Scan() {
			t.Fatalf("the output ended without any of %q", wants)
		}
	}
}

func get(t *testing.T, url string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
}

func TestRunFailsWithOneClearLine(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	all := strings.Join(names(t), ", ")

	tests := []struct {
		name     string
		variable string
		stage    string // none: no argument
		want     string
	}{
		{"no stage", "", "", "want the name of one stage: " + all},
		{"unknown stage", "", "stage9", `unknown stage "stage9": must be one of ` + all},
		{
			"port taken", "ROLL_PORT=" + port, "stage1-roll",
			"port " + port + " of roll is in use: stop the program that uses it, or set ROLL_PORT to another port",
		},
		{
			"service does not start", "MAX_WAIT=soon", "stage1-roll",
			`roll exited: exit status 1: roll: MAX_WAIT="soon": want a duration from 0s to 10s, such as 250ms`,
		},
		{
			"no C compiler", "CC=/nowhere/gcc", "stage5-database",
			"stage5-database needs a C compiler (gcc or clang) and CGO_ENABLED=1 for SQLite: install one, or use Docker",
		},
		{
			"cgo is off", "CGO_ENABLED=0", "stage5-database",
			"stage5-database needs a C compiler (gcc or clang) and CGO_ENABLED=1 for SQLite: install one, or use Docker",
		},
		{
			"range of ports", "ROLL_PORT=8091-8093", "stage1-roll",
			`ROLL_PORT="8091-8093": want one port from 1 to 65535`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			setUp(t, strings.Fields(test.variable)...)
			if err := run(t.Context(), strings.Fields(test.stage), io.Discard); err == nil || err.Error() != test.want {
				t.Errorf("error %v\nwant  %s", err, test.want)
			}
		})
	}
}
