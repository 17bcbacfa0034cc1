package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"example.com/dice/observability/internal/checklist"
	"example.com/dice/observability/internal/declared"
)

// errNotAll is returned if an item is missing. The checklist, which has been printed by then, names it.
var errNotAll = errors.New("an item of the checklist is missing")

// check runs the code once, prints the checklist, and saves the result.
func check(ctx context.Context, out io.Writer, c code) error {
	s, err := c.load(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s, %s\n", c.stage.Name, s.origin(c))
	result, err := c.judge(ctx, s, func(doing string) { fmt.Fprintln(out, "  · "+doing) })
	if err != nil {
		return err
	}
	printResult(out, result, c)
	if !c.isStage() {
		if err := remember(c, result); err != nil {
			return err
		}
	}
	if result.Missing() != nil {
		return errNotAll
	}
	return printNotice(ctx, out, c, s)
}

// judge runs the code once, and compares what it emits with the declaration of the stage.
func (c code) judge(ctx context.Context, s sources, report func(doing string)) (checklist.Result, error) {
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
	r, err := c.record(ctx, s, want, report)
	if err != nil {
		return checklist.Result{}, err
	}
	return checklist.Judge(want, before, r), nil
}
