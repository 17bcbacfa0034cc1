package main

import (
	"fmt"
	"io"

	"example.com/dice/observability/internal/incidents"
	"example.com/dice/observability/internal/progress"
	"example.com/dice/observability/internal/stages"
)

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
