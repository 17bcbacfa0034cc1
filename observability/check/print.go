package main

import (
	"fmt"
	"io"
	"strings"

	"example.com/dice/observability/internal/checklist"
)

// printResult lists the items up to the first missing one, and says why that one is missing, or what to do next.
func printResult(out io.Writer, r checklist.Result, c code) {
	printOld(out, r, c.stage.Before)
	service := ""
	missing := r.Missing()
	for i := range r.Lines {
		l := &r.Lines[i]
		if l == missing {
			printService(out, &service, l.Service)
			printMissing(out, r, l, c)
			return
		}
		if l.Old || !l.Verdict.There() || !r.Ran {
			continue
		}
		printService(out, &service, l.Service)
		fmt.Fprintf(out, "    ✓ %s\n", l.Title)
	}
	fmt.Fprintf(out, "All %d items are there.\n", len(r.Lines))
	printExtra(out, r.Extra)
	printNext(out, c)
}

// printNext says what to do when all items are there.
func printNext(out io.Writer, c code) {
	if c.isStage() {
		return
	}
	fmt.Fprintf(out, "To compare your code with the lesson's:\n    %s\n", c.command("solution"))
	if next, ok := c.next(); ok {
		fmt.Fprintf(out, "Next: find a fault in this stage, or build %s:\n    %s\n    %s\n", next.stage.Name, c.incident(), next.command("start"))
		return
	}
	fmt.Fprintf(out, "This was the last stage. To find a fault in it:\n    %s\n", c.incident())
}

func printService(out io.Writer, last *string, service string) {
	if *last != service {
		fmt.Fprintf(out, "  %s\n", service)
		*last = service
	}
}

// printOld sums up the items of the previous stage.
func printOld(out io.Writer, r checklist.Result, previous string) {
	all, there := 0, 0
	for _, l := range r.Lines {
		if !l.Old {
			continue
		}
		all++
		if l.Verdict.There() {
			there++
		}
	}
	switch {
	case all == 0 || !r.Ran:
	case there == all:
		fmt.Fprintf(out, "  ✓ all %d items of %s\n", all, previous)
	default:
		fmt.Fprintf(out, "  %d of %d items of %s\n", there, all, previous)
	}
}

func printMissing(out io.Writer, r checklist.Result, l *checklist.Line, c code) {
	fmt.Fprintf(out, "    ✗ %s\n", l.Title)
	for text := range strings.Lines(strings.TrimSpace(l.Verdict.Reason)) {
		fmt.Fprintf(out, "        %s\n", strings.TrimRight(text, "\n"))
	}
	if !c.isStage() {
		fmt.Fprintf(out, "        Stuck? %s\n", c.command("hint"))
	}
	if r.Ran {
		fmt.Fprintf(out, "%d of %d items are there.\n", r.Done(), len(r.Lines))
	}
	printExtra(out, r.Extra)
}

// printExtra lists telemetry that the learner has added. It is welcome, so the list is not a complaint.
func printExtra(out io.Writer, extra []string) {
	const most = 10
	if len(extra) == 0 {
		return
	}
	fmt.Fprintln(out, "Also seen:")
	for i, text := range extra {
		if i == most {
			fmt.Fprintf(out, "  and %d more\n", len(extra)-most)
			return
		}
		fmt.Fprintf(out, "  %s\n", text)
	}
}
