package main

import (
	"context"
	"errors"
	"io"

	"example.com/dice/observability/internal/checklist"
	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/progress"
)

// errNotAll is returned if an item is missing. The checklist, which has been printed by then, names it.
var errNotAll = errors.New("an item of the checklist is missing")

// check runs the code once, prints the checklist, and saves the result.
func check(ctx context.Context, out io.Writer, c code) error {
	result, err := c.judge(ctx)
	if err != nil {
		return err
	}
	printResult(out, result, c)
	if err := remember(c, result); err != nil {
		return err
	}
	if result.Missing() != nil {
		return errNotAll
	}
	return nil
}

// judge runs the code once, and compares what it emits with the declaration of the stage.
func (c code) judge(ctx context.Context) (checklist.Result, error) {
	want, err := declared.Read(c.stage.Root, c.stage.Name)
	if err != nil {
		return checklist.Result{}, err
	}
	var before declared.Telemetry
	if c.stage.Before != "" {
		if before, err = declared.Read(c.stage.Root, c.stage.Before); err != nil {
			return checklist.Result{}, err
		}
	}
	r, err := c.record(ctx, want)
	if err != nil {
		return checklist.Result{}, err
	}
	return checklist.Judge(want, before, r), nil
}

// remember saves a result. The hints start over when another item is the first missing one.
func remember(c code, r checklist.Result) error {
	p, err := progress.Read(c.stage.Root)
	if err != nil {
		return err
	}
	now := progress.Check{Directory: c.directory, Done: r.Done(), Of: len(r.Lines)}
	if l := r.Missing(); l != nil {
		now.Missing = &progress.Missing{Service: l.Service, Title: l.Title, Reason: l.Verdict.Reason, Advice: l.Advice, Needles: l.Needles}
		if l.Verdict.Needle != "" {
			now.Missing.Needles = append([]string{l.Verdict.Needle}, l.Needles...)
		}
		if old := p.Checks[c.stage.Name].Missing; old != nil && old.Service+old.Title == l.Service+l.Title {
			now.Missing.Hints = old.Hints
		}
	}
	p.Checks[c.stage.Name] = now
	return p.Write(c.stage.Root)
}
