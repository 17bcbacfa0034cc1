package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"example.com/dice/observability/internal/doctor"
	"example.com/dice/observability/internal/report"
	"example.com/dice/observability/internal/score"
)

const (
	width        = 100
	mostEvidence = 3 // of a finding
)

var colors = map[doctor.Severity]lipgloss.Style{
	doctor.Error:   lipgloss.NewStyle().Foreground(lipgloss.Color("9")).Bold(true),
	doctor.Warning: lipgloss.NewStyle().Foreground(lipgloss.Color("11")).Bold(true),
	doctor.Note:    lipgloss.NewStyle().Foreground(lipgloss.Color("12")),
}

// text is the verdict for people.
func text(r doctor.Report) string {
	var out strings.Builder
	if len(r.Services) > 0 {
		fmt.Fprintf(&out, "\n%s\n", services(r.Services))
	}
	for _, s := range r.Services {
		out.WriteString(scoreOf(s))
	}
	if len(r.Services) > 0 {
		out.WriteString(notJudged(r.Services))
	}
	if len(r.Findings) == 0 {
		return out.String() + "\nNo findings.\n"
	}
	counts := make(map[doctor.Severity]int)
	for _, finding := range r.Findings {
		counts[finding.Rule.Severity]++
	}
	var parts []string
	for _, severity := range doctor.Severities {
		if n := counts[severity]; n > 0 {
			parts = append(parts, plural(n, string(severity)))
		}
	}
	fmt.Fprintf(&out, "\n%s\n", report.Bold.Render("Findings: "+strings.Join(parts, ", ")))
	for _, finding := range r.Findings {
		out.WriteString(describe(finding))
	}
	return out.String()
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func nameOf(service string) string { return cmp.Or(service, "(no service.name)") }

func services(all []doctor.Service) string {
	t := report.NewTable(1, "service", "spans", "metric points", "log records", "kB", "score")
	for _, s := range all {
		t.Row(nameOf(s.Name), strconv.Itoa(s.Spans), strconv.Itoa(s.Points), strconv.Itoa(s.Records), strconv.FormatFloat(float64(s.Bytes)/1000, 'f', 1, 64),
			fmt.Sprintf("%s %s", rounded(s.Score.Value), s.Score.Category()))
	}
	return t.String()
}

// rounded never rounds up to a better category, or to 100.
func rounded(value float64) string {
	return strconv.FormatFloat(float64(int(value*10))/10, 'f', -1, 64)
}

// scoreOf says what a service lost points for.
func scoreOf(s doctor.Service) string {
	if len(s.Score.Failed) == 0 {
		return ""
	}
	var out strings.Builder
	fmt.Fprintf(&out, "\n%s\n", report.Bold.Render("Instrumentation Score of "+nameOf(s.Name)+": "+rounded(s.Score.Value)))
	for _, failed := range s.Score.Failed {
		rule := doctor.ScoreRule(failed.Rule)
		fmt.Fprintf(&out, "\n%s %s\n", report.Bold.Render(failed.Rule+" fails ("+rule.ImpactOf()+"):"), rule.Title)
		field(&out, "why", rule.Why)
		for i, example := range failed.Examples {
			if i == 0 && failed.Count > 1 {
				example += fmt.Sprintf(" (%d in all)", failed.Count)
			}
			field(&out, "seen", example)
		}
		fix(&out, rule)
	}
	return out.String()
}

// notJudged says what may be missing from the scores.
func notJudged(all []doctor.Service) string {
	reasons := make(map[string]string)
	for _, s := range all {
		maps.Copy(reasons, s.Score.NotJudged)
	}
	var parts []string
	for _, rule := range slices.Sorted(maps.Keys(reasons)) {
		parts = append(parts, rule+" ("+reasons[rule]+")")
	}
	var out strings.Builder
	out.WriteString("\n")
	for _, line := range wrap("The Instrumentation Score, github.com/instrumentation-score/spec at "+score.Commit[:7]+
		", may be incomplete, because one run can't judge all of its rules. Not judged: "+strings.Join(parts, ", ")+
		". Rules about a signal that didn't arrive count as passed.", width) {
		fmt.Fprintln(&out, report.Faint.Render(line))
	}
	return out.String()
}

// wrap breaks a text into lines.
func wrap(text string, width int) []string {
	lines := strings.Split(lipgloss.NewStyle().Width(width).Render(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// headline is a finding in one line.
func headline(f doctor.Finding) string {
	line := fmt.Sprintf("%s %s: %s", colors[f.Rule.Severity].Render(string(f.Rule.Severity)), nameOf(f.Service), f.Rule.Title)
	if f.Service == "" {
		line = fmt.Sprintf("%s %s", colors[f.Rule.Severity].Render(string(f.Rule.Severity)), f.Rule.Title)
	}
	return line + report.Faint.Render(": "+seen(f.Evidence[0])+" ["+f.Rule.ID+"]")
}

// describe is a finding with all that belongs to it.
func describe(f doctor.Finding) string {
	var out strings.Builder
	title := f.Rule.Title
	if f.Service != "" {
		title = f.Service + ": " + title
	}
	fmt.Fprintf(&out, "\n%s %s %s\n", colors[f.Rule.Severity].Render(string(f.Rule.Severity)), title, report.Faint.Render("["+f.Rule.ID+"]"))
	field(&out, "why", f.Rule.Why)
	for i, evidence := range f.Evidence {
		if i == mostEvidence {
			field(&out, "", fmt.Sprintf("and %d more", len(f.Evidence)-i+f.More))
			break
		}
		field(&out, "seen", seen(evidence))
	}
	fix(&out, *f.Rule)
	return out.String()
}

// seen is a piece of evidence.
func seen(e doctor.Evidence) string {
	words := strings.TrimSpace(e.What + " " + e.Name)
	if e.Detail != "" {
		words += ", " + e.Detail
	}
	if e.Trace != "" {
		words += ", trace " + e.Trace
	}
	if e.Count > 1 {
		words += fmt.Sprintf(" (%d times)", e.Count)
	}
	return words
}

// column is the width of the names of fields, with the space before and after them.
const column = 8

// field writes a name and a text, which is wrapped.
func field(out *strings.Builder, name, text string) { lines(out, name, wrap(text, width-column)) }

func lines(out *strings.Builder, name string, lines []string) {
	for _, line := range lines {
		fmt.Fprintf(out, "  %s%s\n", report.Faint.Render(fmt.Sprintf("%-*s", column-2, name)), line)
		name = ""
	}
}

// fix writes the lines of Go, which are not wrapped, and where to learn about them.
func fix(out *strings.Builder, rule doctor.Rule) {
	lines(out, "fix", strings.Split(strings.ReplaceAll(strings.TrimSpace(rule.Fix), "\t", "    "), "\n"))
	field(out, "learn", rule.Learn)
}
