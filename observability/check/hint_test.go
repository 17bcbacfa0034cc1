package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"example.com/dice/observability/internal/checklist"
	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/progress"
	"example.com/dice/observability/internal/runner"
	"example.com/dice/observability/internal/stages"
)

// TestHints requires three hints about each item of each stage, and hunks that contain the line of the third.
func TestHints(t *testing.T) {
	names, err := stages.Names(repository)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		s := code{stage: stageOf(t, repository, name)}
		for _, item := range checklist.Items(declaration(t, name)) {
			place, err := s.find(&progress.Missing{Service: item.Service, Needles: item.Needles})
			if err != nil {
				t.Errorf("%s: %s: %s: %v", name, item.Service, item.Title, err)
				continue
			}
			for i := 1; i <= mostHints; i++ {
				if text := place.hint(i, item.Advice); text == "" || strings.Contains(text, "%!") {
					t.Errorf("%s: %s: hint %d is %q", name, item.Title, i, text)
				}
			}
			if place.line == "" || !strings.Contains(place.hunks, place.line) {
				t.Errorf("%s: %s: the hunks lack the line %q:\n%s", name, item.Title, place.line, place.hunks)
			}
		}
	}
}

func declaration(t *testing.T, stage string) declared.Telemetry {
	t.Helper()
	want, err := declared.Read(repository, stage)
	if err != nil {
		t.Fatal(err)
	}
	return want
}

// TestHintAndSolution asks for hint after hint, then for the solution.
func TestHintAndSolution(t *testing.T) {
	s := learner(t, "stage1-roll")
	_ = os.Remove(filepath.Join(s.stage.Root, progress.File))
	l := checklist.Line{Item: checklist.Item{Service: "roll", Title: "a span", Advice: "Start one.", Needles: []string{`"roll die"`}}, Verdict: checklist.Verdict{Reason: "There is none."}}
	if err := remember(s, checklist.Result{Lines: []checklist.Line{l}, Ran: true}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"Hint 1 of 3: Start one.", "Hint 2 of 3: The lesson adds it in stage1-roll/roll/roller.go", "Hint 3 of 3: stage1-roll/roll/roller.go:", "check solution stage1-roll"} {
		var out bytes.Buffer
		if err := hint(t.Context(), &out, s); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), want) || strings.Count(out.String(), "Hint ") != min(i+1, mostHints) {
			t.Errorf("call %d: %s\nwant %s", i+1, &out, want)
		}
		if err := remember(s, checklist.Result{Lines: []checklist.Line{l}, Ran: true}); err != nil { // another check keeps the hints
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := solution(t.Context(), &out, s); err != nil {
		t.Fatal(err)
	}
	if want := "\n+\tctx, span := tracer.Start(ctx, \"roll die\""; !strings.Contains(out.String(), want) {
		t.Errorf("solution:\n%s\nwant %s", &out, want)
	}
	out.Reset()
	if err := list(&out, s.stage.Root); err != nil {
		t.Fatal(err)
	}
	if want := "  stage1-roll          0 of 3 incidents at the first try; 0 of 1 items, in " + s.name() + "; next: roll: a span\n  stage2-frontend      0 of 3 incidents at the first try; not started\n"; !strings.Contains(out.String(), want) {
		t.Errorf("list:\n%s\nwant %s", &out, want)
	}
}

// TestBlame requires that a failure is charged to the service whose code has it, and to nobody if the environment has failed.
func TestBlame(t *testing.T) {
	services := []checklist.Service{{Name: "die"}, {Name: "roll"}, {Name: "frontend"}}
	failed := func(service, text string) error { return &runner.ServiceError{Service: service, Err: errors.New(text)} }
	for name, test := range map[string]struct {
		failure error
		missing string // the service that does not run
	}{
		"a compile error that mentions another service": {failed("frontend", "building frontend: die.go:7: die is not used"), "frontend"},
		"two services":                  {errors.Join(failed("roll", "a"), failed("frontend", "b")), "roll"},
		"the traffic":                   {failed("traffic", "traffic exited: exit status 1: interrupted"), "die"},
		"traffic, because of a service": {errors.Join(failed("traffic", "a"), failed("roll", "panic: b")), "roll"},
		"the environment":               {errors.New("no space left on device"), ""},
	} {
		run := &checklist.Run{Services: services, Broken: blame(services, test.failure)}
		if test.missing == "" && run.Ran() {
			continue
		}
		got := checklist.Judge(declaration(t, "stage3-die-service"), declared.Telemetry{}, run)
		if l := got.Missing(); l == nil || l.Service != test.missing || l.Title != "the service runs" {
			t.Errorf("%s: the first missing line is %+v, want that %s runs", name, l, test.missing)
		}
	}
}

// TestWaitForChange requires that several writes of an editor count as one change, even in a subdirectory.
func TestWaitForChange(t *testing.T) {
	directory := t.TempDir()
	if err := write(filepath.Join(directory, "roll", "main.go"), []byte("1")); err != nil {
		t.Fatal(err)
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	defer watcher.Close()
	if err := addAll(watcher, directory); err != nil {
		t.Fatal(err)
	}
	changed := make(chan error, 1)
	go func() { changed <- waitForChange(t.Context(), watcher) }()
	select {
	case <-changed:
		t.Fatal("a change, and nothing has changed")
	case <-time.After(2 * together):
	}
	if err := os.WriteFile(filepath.Join(directory, "roll", "main.go"), []byte("2"), 0o600); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-changed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the change was not seen")
	}
}

var quotedItem = regexp.MustCompile("`((?:the service|it answers|telemetry|metric|metrics|log record|span|event|usage) [^`]+)`")

// TestReadmeTasks requires that the items in the tasks of each README are in the checklist.
func TestReadmeTasks(t *testing.T) {
	names, err := stages.Names(repository)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(repository, name, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		_, section, _ := strings.Cut(string(text), "\n## Build it yourself\n")
		section, _, _ = strings.Cut(section, "\n## ")
		quoted := quotedItem.FindAllStringSubmatch(strings.ReplaceAll(section, "\n   ", " "), -1)
		if len(quoted) < 4 {
			t.Errorf("the README of %s names %d items in its tasks", name, len(quoted))
		}
		for _, match := range quoted {
			if !slices.ContainsFunc(checklist.Items(declaration(t, name)), func(i checklist.Item) bool { return strings.HasPrefix(i.Title, match[1]) }) {
				t.Errorf("the README of %s names the item %q, which is not in the checklist", name, match[1])
			}
		}
	}
}
