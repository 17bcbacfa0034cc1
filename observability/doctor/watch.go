package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"example.com/dice/observability/internal/doctor"
	"example.com/dice/observability/internal/report"
)

const (
	period      = 500 * time.Millisecond
	perPeriod   = 2  // traces that are shown in a period
	mostPending = 10 // traces that wait to be shown
	mostLines   = 40 // of a trace

	mostHeadlines = 30 // findings that are shown in a period
)

// watch shows traces and findings as they arrive, until the end.
func watch(judge *doctor.Judge, end <-chan struct{}, out io.Writer, findingsOnly bool) {
	var pending []report.Trace
	left := 0
	for {
		select {
		case <-end:
			showLeft(out, left+len(pending))
			return
		case <-time.After(period):
		}
		news := judge.Update(mostPending - len(pending))
		for _, finding := range news.Findings[:min(len(news.Findings), mostHeadlines)] {
			fmt.Fprintln(out, headline(finding))
		}
		if n := len(news.Findings) - mostHeadlines; n > 0 {
			fmt.Fprintln(out, report.Faint.Render("… and "+plural(n, "more finding")+", listed in the verdict"))
		}
		if findingsOnly {
			continue
		}
		pending, left = append(pending, news.Traces...), left+news.Left
		n := min(perPeriod, len(pending))
		for _, trace := range pending[:n] {
			fmt.Fprintf(out, "\n%s %s\n%s", report.Bold.Render("Trace"), report.Faint.Render(trace.ID), cut(trace.String()))
		}
		if pending = pending[n:]; len(pending) == 0 && left > 0 {
			showLeft(out, left)
			left = 0
		}
	}
}

// showLeft says how many traces were not shown.
func showLeft(out io.Writer, n int) {
	if n > 0 {
		fmt.Fprintln(out, report.Faint.Render("… and "+plural(n, "more trace")))
	}
}

// cut returns the first lines of a text.
func cut(text string) string {
	lines := strings.SplitAfterN(text, "\n", mostLines+1)
	if len(lines) <= mostLines {
		return text
	}
	return strings.Join(lines[:mostLines], "") + report.Faint.Render(fmt.Sprintf("… and %d more lines", strings.Count(lines[mostLines], "\n"))) + "\n"
}
