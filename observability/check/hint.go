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
	if err != nil || m == nil {
		return err
	}
	fmt.Fprintf(out, "%s: %s\n%s\n\n", m.Service, m.Title, m.Reason)
	m.Hints = min(m.Hints+1, mostHints)
	place, err := c.find(m)
	if err != nil {
		return err
	}
	for i := 1; i <= m.Hints; i++ {
		fmt.Fprintf(out, "Hint %d of %d: %s\n", i, mostHints, place.hint(i, m.Advice))
	}
	if m.Hints < mostHints {
		fmt.Fprintf(out, "\nFor the next hint: %s\n", c.command("hint"))
	} else {
		fmt.Fprintf(out, "\nFor the code itself: %s\n", c.command("solution"))
	}
	return p.Write(c.stage.Root)
}

// solution prints the hunks of the lesson that add the first missing item.
func solution(ctx context.Context, out io.Writer, c code) error {
	m, _, err := c.known(ctx, out)
	if err != nil || m == nil {
		return err
	}
	place, err := c.find(m)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %s\n\n── %s: %s\n%s", m.Service, m.Title, place.file, place.news, place.hunks)
	return nil
}

// known returns the first missing item of the last check, or nil if nothing was missing. It checks the code if there was no check.
func (c code) known(ctx context.Context, out io.Writer) (*progress.Missing, progress.Progress, error) {
	p, err := progress.Read(c.stage.Root)
	if err != nil {
		return nil, p, err
	}
	if last, ok := p.Checks[c.stage.Name]; !ok || last.Directory != c.directory {
		if err := check(ctx, out, c); err != nil && !errors.Is(err, errNotAll) {
			return nil, p, err
		}
		if p, err = progress.Read(c.stage.Root); err != nil {
			return nil, p, err
		}
	}
	m := p.Checks[c.stage.Name].Missing
	if m == nil {
		fmt.Fprintf(out, "No item was missing at the last check. To check again: %s\n", c.command(""))
	}
	return m, p, nil
}

// hint returns a hint: number 1 is general, and number 3 is the line itself.
func (p place) hint(number int, advice string) string {
	switch number {
	case 1:
		return advice
	case 2:
		return fmt.Sprintf("The stage has it in %s: %s.", p.file, p.news)
	default:
		return fmt.Sprintf("%s:%d has the line\n    %s", p.file, p.number, p.line)
	}
}
