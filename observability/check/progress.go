package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"example.com/dice/observability/check/incident"
	"example.com/dice/observability/internal/stages"
)

// progressFile is the file for a learner's results, in the root of the repository. Git ignores it.
const progressFile = ".progress.json"

// progress is a learner's results, by stage.
type progress struct {
	Checks    map[string]checked  `json:"checks"`
	Incidents map[string][]string `json:"incidents"` // those answered right at the first try
}

// checked is the last result of a stage's checklist.
type checked struct {
	Directory string   `json:"directory"`
	Done      int      `json:"done"`
	Of        int      `json:"of"`
	Missing   *missing `json:"missing,omitempty"`
}

// missing is the first missing item.
type missing struct {
	Kind    kind     `json:"kind"`
	Service string   `json:"service"`
	Title   string   `json:"title"`
	Reason  string   `json:"reason"`
	Needles []string `json:"needles"`
	Hints   int      `json:"hints"` // how many were printed
}

func readProgress(root string) (progress, error) {
	p := progress{Checks: make(map[string]checked), Incidents: make(map[string][]string)}
	content, err := os.ReadFile(filepath.Join(root, progressFile))
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("reading your progress: %w", err)
	}
	if err := json.Unmarshal(content, &p); err != nil {
		return p, fmt.Errorf("reading your progress: %s: %w; delete the file to start over", progressFile, err)
	}
	return p, nil
}

func (p progress) write(root string) error {
	content, err := json.MarshalIndent(p, "", "\t")
	if err != nil {
		return fmt.Errorf("writing your progress: %w", err)
	}
	if err := os.WriteFile(filepath.Join(root, progressFile), append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing your progress: %w", err)
	}
	return nil
}

// remember saves a result. The hints start over when another item is the first missing one.
func remember(s subject, r result) error {
	p, err := readProgress(s.stage.Root)
	if err != nil {
		return err
	}
	c := checked{Directory: s.directory, Done: r.done(), Of: len(r.lines)}
	if l := r.missing(); l != nil {
		c.Missing = &missing{Kind: l.kind, Service: l.service, Title: l.title, Reason: l.verdict.reason, Needles: l.needles}
		if l.verdict.needle != "" {
			c.Missing.Needles = append([]string{l.verdict.needle}, l.needles...)
		}
		if old := p.Checks[s.stage.Name].Missing; old != nil && old.Service+old.Title == l.service+l.title {
			c.Missing.Hints = old.Hints
		}
	}
	p.Checks[s.stage.Name] = c
	return p.write(s.stage.Root)
}

// list prints the learner's progress in each stage.
func list(out io.Writer, root string) error {
	names, err := stages.Names(root)
	if err != nil {
		return err
	}
	p, err := readProgress(root)
	if err != nil {
		return err
	}
	for _, name := range names {
		incidents, err := incident.Names(name)
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
		fmt.Fprintf(out, "%s %-20s %d of %d incidents at the first try; %s\n", mark, name, len(p.Incidents[name]), len(incidents), text)
	}
	return nil
}
