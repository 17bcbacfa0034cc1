package main

import (
	"fmt"
	"io"
	"maps"
	"slices"

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
		mark, text := " ", "not started"
		if directory, c := best(p.Code[name]); directory != "" {
			mark, text = describe(directory, c)
		}
		fmt.Fprintf(out, "%s %-20s %d of %d incidents at the first try; %s\n", mark, name, len(p.Incidents[name]), len(faults), text)
	}
	return nil
}

// best returns the directory with the best result.
func best(results map[string]progress.Check) (directory string, c progress.Check) {
	for _, name := range slices.Sorted(maps.Keys(results)) {
		if result := results[name]; directory == "" || result.Best > c.Best {
			directory, c = name, result
		}
	}
	return directory, c
}

func describe(directory string, c progress.Check) (mark, text string) {
	switch {
	case c.Best == c.Of && c.Missing == nil:
		return "✓", fmt.Sprintf("all %d items, in %s", c.Of, directory)
	case c.Best == c.Of:
		return "✓", fmt.Sprintf("all %d items once, in %s; %d at the last check", c.Of, directory, c.Done)
	case c.Best > c.Done:
		return " ", fmt.Sprintf("%d of %d items at best, in %s; %d at the last check; next: %s: %s", c.Best, c.Of, directory, c.Done, c.Missing.Service, c.Missing.Title)
	}
	return " ", fmt.Sprintf("%d of %d items, in %s; next: %s: %s", c.Done, c.Of, directory, c.Missing.Service, c.Missing.Title)
}
