package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/declared"
)

// result is the checklist, with a verdict on each item from one run.
type result struct {
	lines []line
	extra []string // telemetry that the stage does not declare: the learner's own
	ran   bool     // false if a service is missing, was not built or did not start
}

// line is an item, its verdict, and whether the previous stage already has it.
type line struct {
	item

	verdict verdict
	before  string // the previous stage, if it has the item too
}

func (l line) there() bool { return l.verdict.reason == "" }

// evaluate runs the code once.
func (s subject) evaluate(ctx context.Context) (result, error) {
	stage, want, err := read(ctx, s.stage.Root, s.stage.Name)
	if err != nil {
		return result{}, err
	}
	old, err := s.before(ctx)
	if err != nil {
		return result{}, err
	}
	r, err := s.play(ctx, want)
	if err != nil {
		return result{}, err
	}
	return judge(newChecklist(stage, want), r, want, s.stage.Before, old), nil
}

// read reads a stage and its declaration.
func read(ctx context.Context, root, name string) (*compose.Stage, declared.Telemetry, error) {
	stage, err := compose.Load(ctx, root, name, compose.Settings{})
	if err != nil {
		return nil, declared.Telemetry{}, err
	}
	want, err := declared.Read(root, name)
	return stage, want, err
}

// before returns the keys of the previous stage's items. The first stage has no previous one.
func (s subject) before(ctx context.Context) (map[string]bool, error) {
	has := make(map[string]bool)
	if s.stage.Before == "" {
		return has, nil
	}
	before, want, err := read(ctx, s.stage.Root, s.stage.Before)
	if err != nil {
		return nil, err
	}
	for _, item := range newChecklist(before, want) {
		has[item.key()] = true
	}
	return has, nil
}

// judge checks each item against a run. If the code did not run, only the presence of the services can be checked.
func judge(items []item, r *round, want declared.Telemetry, before string, has map[string]bool) result {
	got := result{ran: len(r.missing) == 0 && r.failure == nil}
	for _, item := range items {
		l := line{item: item}
		if has[item.key()] {
			l.before = before
		}
		switch {
		case got.ran || item.kind == presence:
			l.verdict = item.check(r)
		default:
			l.verdict = verdict{reason: "The services are not running."}
		}
		got.lines = append(got.lines, l)
	}
	got.extra = r.alsoSeen(want)
	return got
}

// missing returns the first missing line, or nil. Items of the previous stage come first. If the code did not run, only missing
// services count.
func (r result) missing() *line {
	for _, old := range []bool{true, false} {
		for i, l := range r.lines {
			if !l.there() && (l.before != "") == old && (r.ran || l.kind == presence) {
				return &r.lines[i]
			}
		}
	}
	return nil
}

func (r result) done() int {
	n := 0
	for _, l := range r.lines {
		if l.there() {
			n++
		}
	}
	return n
}

// print lists the items up to the first missing one, and says why that one is missing.
func (r result) print(out io.Writer, s subject) {
	title := s.stage.Name
	if !s.isStage() {
		title += ", your code in " + filepath.ToSlash(s.directory)
	}
	fmt.Fprintln(out, title)
	missing := r.missing()
	r.printBefore(out)
	service := ""
	for i := range r.lines {
		l := &r.lines[i]
		if l == missing {
			printService(out, &service, l.service)
			r.printMissing(out, l, s)
			return
		}
		if l.before != "" || !l.there() || !r.ran {
			continue
		}
		printService(out, &service, l.service)
		fmt.Fprintf(out, "    ✓ %s\n", l.title)
	}
	fmt.Fprintf(out, "All %d items are there.\n", len(r.lines))
	r.printExtra(out)
}

func printService(out io.Writer, last *string, service string) {
	if *last != service {
		fmt.Fprintf(out, "  %s\n", service)
		*last = service
	}
}

// printBefore sums up the items of the previous stage.
func (r result) printBefore(out io.Writer) {
	all, there, name := 0, 0, ""
	for _, l := range r.lines {
		if l.before == "" {
			continue
		}
		name = l.before
		all++
		if l.there() {
			there++
		}
	}
	switch {
	case all == 0 || !r.ran:
	case there == all:
		fmt.Fprintf(out, "  ✓ all %d items of %s\n", all, name)
	default:
		fmt.Fprintf(out, "  %d of %d items of %s\n", there, all, name)
	}
}

func (r result) printMissing(out io.Writer, l *line, s subject) {
	fmt.Fprintf(out, "    ✗ %s\n", l.title)
	for text := range strings.Lines(strings.TrimSpace(l.verdict.reason)) {
		fmt.Fprintf(out, "        %s\n", strings.TrimRight(text, "\n"))
	}
	fmt.Fprintf(out, "        Stuck? %s\n", s.command("-hint"))
	if r.ran {
		fmt.Fprintf(out, "%d of %d items are there.\n", r.done(), len(r.lines))
	}
	r.printExtra(out)
}

// printExtra lists telemetry that the learner has added. It is welcome, so the list is not a complaint.
func (r result) printExtra(out io.Writer) {
	const most = 10
	if len(r.extra) == 0 {
		return
	}
	fmt.Fprintln(out, "Also seen:")
	for i, text := range r.extra {
		if i == most {
			fmt.Fprintf(out, "  and %d more\n", len(r.extra)-most)
			return
		}
		fmt.Fprintf(out, "  %s\n", text)
	}
}
