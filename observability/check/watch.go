package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"example.com/dice/observability/internal/runner"
)

// together is how long to wait for further changes after a change, because an editor writes a file in several steps.
const together = 200 * time.Millisecond

// watch checks the code now and after each change of a file, until ctx ends.
func watch(ctx context.Context, out io.Writer, c code) (err error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watching %s: %w", c.directory, err)
	}
	defer func() { err = errors.Join(err, watcher.Close()) }()
	if c.programs, err = runner.Temporary(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.programs)) }()
	for {
		if err := addAll(watcher, c.directory); err != nil {
			return err
		}
		fmt.Fprintln(out, "Checking…")
		begin := time.Now()
		if err := check(ctx, out, c); err != nil && !errors.Is(err, errNotAll) {
			return err
		}
		fmt.Fprintf(out, "The check took %s. Save a file to check again, or press Ctrl-C to quit.\n\n", time.Since(begin).Round(100*time.Millisecond))
		if err := waitForChange(ctx, watcher); err != nil {
			return err
		}
	}
}

// addAll watches a directory and all directories below it. Watching one twice does no harm.
func addAll(watcher *fsnotify.Watcher, directory string) error {
	return filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if err := watcher.Add(path); err != nil {
			return fmt.Errorf("watching %s: %w", path, err)
		}
		return nil
	})
}

// waitForChange returns when files have changed and further changes have stopped. Changes made during the previous check count too.
func waitForChange(ctx context.Context, watcher *fsnotify.Watcher) error {
	var settled <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-watcher.Errors:
			return fmt.Errorf("watching: %w", err)
		case event := <-watcher.Events:
			if !event.Has(fsnotify.Chmod) {
				settled = time.After(together)
			}
		case <-settled:
			return nil
		}
	}
}
