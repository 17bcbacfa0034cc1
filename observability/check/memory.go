package main

import (
	"cmp"
	"slices"

	"example.com/dice/observability/internal/checklist"
	"example.com/dice/observability/internal/progress"
)

// remember saves a result. The hints start over when another item, or another part of it, is the first missing one.
func remember(c code, r checklist.Result) error {
	p, err := progress.Read(c.stage.Root)
	if err != nil {
		return err
	}
	last := p.Code[c.stage.Name][c.name()]
	now := progress.Check{Done: r.Done(), Of: len(r.Lines), Best: max(r.Done(), last.Best)}
	if l := r.Missing(); l != nil {
		now.Missing = &progress.Missing{
			Service: l.Service, Title: l.Title, Reason: l.Verdict.Reason, Advice: cmp.Or(l.Verdict.Advice, l.Advice),
			Needles: slices.Concat(l.Verdict.Needles, l.Needles),
		}
		if old := last.Missing; old != nil && old.Service+old.Title == l.Service+l.Title && slices.Equal(old.Needles, now.Missing.Needles) {
			now.Missing.Hints = old.Hints
		}
	}
	p.Set(c.stage.Name, c.name(), now)
	return p.Write(c.stage.Root)
}
