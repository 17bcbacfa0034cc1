package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/freeport"
	"example.com/dice/observability/internal/report"
	"example.com/dice/observability/internal/runner"
	"example.com/dice/observability/internal/store"
)

// longestTraffic limits the traffic of a stage that a fault makes slow. Without a fault, the traffic takes less time.
const longestTraffic = 15 * time.Second

// recorder runs a stage with a fault and without Docker, and returns what the stage emitted.
type recorder func(ctx context.Context, root string, f fault, settings []string, progress func(doing string)) (*store.Store, error)

// withReport runs a stage with a fault and without Docker, prints the report, and calls ask. The user's files are not changed.
func withReport(ctx context.Context, root string, f fault, out io.Writer, record recorder, ask func() error) error {
	s, err := record(ctx, root, f, freeport.Variables(), func(doing string) { fmt.Fprintln(out, report.Faint.Render("· "+doing)) })
	if err != nil {
		return unlessEnded(ctx, err)
	}
	fmt.Fprint(out, describe(s))
	return unlessEnded(ctx, ask())
}

// record is a [recorder] that runs a copy of the stage with traffic. Settings are variables of docker compose.
func record(ctx context.Context, root string, f fault, settings []string, progress func(doing string)) (_ *store.Store, err error) {
	broken, err := copyWith(ctx, root, f)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(broken)) }()
	stage, err := compose.Load(ctx, broken, f.Stage, compose.Settings{
		Override: append(settings, f.Variables...),
		Default:  []string{"NUM_USERS=20", "MAX_ROLLS_PER_USER=20"},
	})
	if err != nil {
		return nil, err
	}
	running, err := runner.Start(ctx, stage, progress)
	if err != nil {
		return nil, err
	}
	progress("traffic, for up to " + longestTraffic.String())
	limited, cancel := context.WithTimeout(ctx, longestTraffic)
	err = running.Traffic(limited, io.Discard)
	if limited.Err() != nil {
		err = ctx.Err() // nil if only the time limit was reached
	}
	cancel()
	progress("stopping the stage")
	return running.Store, errors.Join(err, running.Stop())
}

// copyWith creates a directory like the root of the repository: the stage is a copy with the fault, and the other entries are links.
func copyWith(ctx context.Context, root string, f fault) (directory string, err error) {
	if root, err = filepath.Abs(root); err != nil {
		return "", err
	}
	if directory, err = os.MkdirTemp("", "dice-incident-"); err != nil {
		return "", fmt.Errorf("creating a directory: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(directory) // err says what went wrong first
		}
	}()
	entries, err := os.ReadDir(root)
	if err != nil {
		return "", err
	}
	for _, entry := range entries {
		name := entry.Name()
		if name == f.Stage || strings.HasPrefix(name, ".") {
			continue
		}
		if err := os.Symlink(filepath.Join(root, name), filepath.Join(directory, name)); err != nil {
			return "", err
		}
	}
	if err := os.CopyFS(filepath.Join(directory, f.Stage), os.DirFS(filepath.Join(root, f.Stage))); err != nil {
		return "", fmt.Errorf("copying %s: %w", f.Stage, err)
	}
	return directory, f.apply(ctx, directory)
}
