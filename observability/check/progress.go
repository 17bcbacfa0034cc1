package main

import (
	"fmt"
	"io"

	"example.com/dice/observability/internal/incidents"
	"example.com/dice/observability/internal/progress"
	"example.com/dice/observability/internal/stages"
)

// remember saves a result. The hints start over when another item is the first missing one.
func remember(s subject, r result) error {
	p, err := progress.Read(s.stage.Root)
	if err != nil {
		return err
	}
	c := progress.Check{Directory: s.directory, Done: r.done(), Of: len(r.lines)}
	if l := r.missing(); l != nil {
		c.Missing = &progress.Missing{Kind: int(l.kind), Service: l.service, Title: l.title, Reason: l.verdict.reason, Needles: l.needles}
		if l.verdict.needle != "" {
			c.Missing.Needles = append([]string{l.verdict.needle}, l.needles...)
		}
		if old := p.Checks[s.stage.Name].Missing; old != nil && old.Service+old.Title == l.service+l.title {
			c.Missing.Hints = old.Hints
		}
	}
	p.Checks[s.stage.Name] = c
	return p.Write(s.stage.Root)
}

// list prints the learner's progress in each stage.
func list(out io.Writer, root string) error {
	names, err := stages.Names(root)
	if err != nil {
		return err
	}
	p, err := progress.Read(root)
	if err != nil {
		return err
	}
	for _, name := range names {
		faults, err := incidents.Names(root, name)
		if err != nil {
			return err
		}
		c, begun := p.Checks[name]
		mark, text := " ", "not started"
		switch {
		case begun && c.Missing == nil:
			mark, text = "✓", fmt.Sprintf("all %d items, in %s", c.Of, c.Directory)
		case begun:
			text = fmt.Sprintf("%d of %d items, in %s; next: %s: %s", c.Done, c.Of, c.Directory, c.Missing.Service, c.Missing.Title)
		}
		fmt.Fprintf(out, "%s %-20s %d of %d incidents at the first try; %s\n", mark, name, len(p.Incidents[name]), len(faults), text)
	}
	return nil
}
