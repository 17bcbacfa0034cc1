package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"example.com/dice/observability/internal/report"
)

const width = 110 // columns of prose

const letters = "abcd"

// game asks the questions about a fault.
type game struct {
	fault   fault
	chance  *rand.Rand
	out     io.Writer
	answers <-chan string
}

// askAll asks all questions and explains the fault. It returns how many questions were answered right at the first try, and
// io.EOF if the answers ended before the questions.
func (g game) askAll(ctx context.Context) (right int, err error) {
	for i, q := range g.fault.Questions {
		first, err := g.ask(ctx, fmt.Sprintf("Question %d of %d", i+1, len(g.fault.Questions)), q)
		if err != nil {
			return right, err
		}
		if first {
			right++
		}
	}
	g.explain(right)
	return right, nil
}

// ask repeats a question until the answer is right. It reports whether the first answer was.
func (g game) ask(ctx context.Context, title string, q question) (first bool, err error) {
	fmt.Fprintf(g.out, "\n%s\n%s\n", report.Bold.Render(title), wrap(q.Ask, ""))
	order := g.chance.Perm(len(letters))
	for i, n := range order {
		fmt.Fprintf(g.out, "  %c) %s\n", letters[i], strings.TrimLeft(wrap(q.answer(n), "     "), " "))
	}
	for first = true; ; first = false {
		fmt.Fprintf(g.out, "Your answer, a to d: ")
		line, err := g.read(ctx)
		if err != nil {
			fmt.Fprintln(g.out)
			return false, err
		}
		i := strings.Index(letters, line)
		for len(line) != 1 || i < 0 {
			fmt.Fprint(g.out, "Type a, b, c or d, and press Enter: ")
			if line, err = g.read(ctx); err != nil {
				fmt.Fprintln(g.out)
				return false, err
			}
			i = strings.Index(letters, line)
		}
		if order[i] == 0 {
			fmt.Fprintln(g.out, "Right.")
			return first, nil
		}
		fmt.Fprintf(g.out, "No. %s\n", strings.TrimLeft(wrap(q.Wrong[order[i]-1].Why, "    "), " "))
	}
}

// answer returns the right answer, which is number 0, or one of the others.
func (q question) answer(n int) string {
	if n == 0 {
		return q.Right
	}
	return q.Wrong[n-1].Answer
}

func (g game) read(ctx context.Context) (string, error) {
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case line, ok := <-g.answers:
		if !ok {
			return "", io.EOF
		}
		return strings.ToLower(strings.TrimSpace(line)), nil
	}
}

// explain prints how to find the fault, and how to fix it.
func (g game) explain(right int) {
	f := g.fault
	fmt.Fprintf(g.out, "\n%d of %d right at the first try.\n\n%s\n", right, len(f.Questions), report.Bold.Render("How to find it"))
	fmt.Fprintf(g.out, "%s\n", wrap("In the report: "+f.Report, ""))
	for _, s := range f.Way {
		language, query := s.language()
		fmt.Fprintf(g.out, "\n  %s\n    %s\n%s\n", report.Faint.Render(language), strings.TrimSpace(query), wrap(s.Shows, "  "))
	}
	fmt.Fprintf(g.out, "\n%s\n%s\n", report.Bold.Render("The fix"), wrap(f.Fix, ""))
	if len(f.patch) > 0 {
		fmt.Fprintf(g.out, "\n%s", f.reversed())
	}
	fmt.Fprintf(g.out, "\nThis was the incident %q. To play it again, add this name to the command.\n", f.Name)
}

// wrap breaks text into lines, each with the indent.
func wrap(text, indent string) string {
	lines := lipgloss.NewStyle().Width(width - len(indent)).Render(strings.Join(strings.Fields(text), " "))
	var out []string
	for line := range strings.Lines(lines) {
		out = append(out, indent+strings.TrimRight(line, " \n"))
	}
	return strings.Join(out, "\n")
}

// unlessEnded returns an error, or nil if the player has ended the incident.
func unlessEnded(ctx context.Context, err error) error {
	if ended := errors.Is(err, io.EOF) || ctx.Err() != nil; !ended {
		return err
	}
	return nil
}
