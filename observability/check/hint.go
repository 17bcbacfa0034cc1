package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"example.com/dice/observability/internal/progress"
)

const mostHints = 3

// hint prints the next hint about the first missing item, after the hints before it.
func hint(ctx context.Context, out io.Writer, c code) error {
	m, p, err := c.known(ctx, out)
	if err != nil {
		return err
	}
	if m == nil {
		fmt.Fprintf(out, "No item was missing at the last check. To check again:\n    %s\n", c.command(""))
		return nil
	}
	fmt.Fprintf(out, "%s: %s\n%s\n\n", m.Service, m.Title, m.Reason)
	m.Hints = min(m.Hints+1, mostHints)
	found, err := c.find(m)
	if err != nil {
		return err
	}
	for i := 1; i <= m.Hints; i++ {
		fmt.Fprintf(out, "Hint %d of %d: %s\n", i, mostHints, found.hint(i, m.Advice))
	}
	if m.Hints < mostHints {
		fmt.Fprintf(out, "\nFor the next hint:\n    %s\n", c.command("hint"))
	} else {
		fmt.Fprintf(out, "\nFor the code itself:\n    %s\n", c.command("solution"))
	}
	return p.Write(c.stage.Root)
}

// solution prints the code that adds the first missing item. If none is missing, it compares the code with the lesson's.
func solution(ctx context.Context, out io.Writer, c code) error {
	m, _, err := c.known(ctx, out)
	if err != nil {
		return err
	}
	if m == nil {
		return compare(out, c)
	}
	found, err := c.find(m)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %s\n\n%s\n\n%s", m.Service, m.Title, found.where, found.hunks)
	return nil
}

// compare prints what differs between the code and the lesson's. Lines that only the lesson has begin with +.
func compare(out io.Writer, c code) error {
	all, err := c.differences()
	if err != nil {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintln(out, "Your code is the same as the lesson's.")
	}
	for _, d := range all {
		fmt.Fprintf(out, "── %s: %s\n%s\n", d.file, d.where, d.hunks)
	}
	return nil
}

// known returns the first missing item of the last check, or nil if nothing was missing. It checks the code if there was no check.
func (c code) known(ctx context.Context, out io.Writer) (*progress.Missing, progress.Progress, error) {
	p, err := progress.Read(c.stage.Root)
	if err != nil {
		return nil, p, err
	}
	if _, ok := p.Code[c.stage.Name][c.name()]; !ok {
		if err := check(ctx, out, c); err != nil && !errors.Is(err, errNotAll) {
			return nil, p, err
		}
		if p, err = progress.Read(c.stage.Root); err != nil {
			return nil, p, err
		}
	}
	return p.Code[c.stage.Name][c.name()].Missing, p, nil
}

// hint returns a hint: number 1 is general, and number 3 is the line itself.
func (p place) hint(number int, advice string) string {
	switch number {
	case 1:
		return advice
	case 2:
		return p.where
	default:
		return fmt.Sprintf("%s:%d has the line\n    %s", p.file, p.number, p.line)
	}
}
