package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// withDocker starts a stage with a fault, calls ask, and removes the fault. Then it starts the stage again without the fault, or
// stops it if ctx has ended.
func withDocker(ctx context.Context, root string, f fault, out io.Writer, ask func() error) (err error) {
	if root, err = filepath.Abs(root); err != nil {
		return err
	}
	if _, err := exec.LookPath("docker"); err != nil {
		return fmt.Errorf("%w: install Docker, or leave out -docker", err)
	}
	if err := checkUnchanged(ctx, root, f); err != nil {
		return err
	}
	if err := f.apply(ctx, root); err != nil {
		return err
	}
	defer func() {
		fmt.Fprintln(out, "\nRemoving the fault.")
		later := context.WithoutCancel(ctx)
		again := []string{"up", "--build", "--detach"}
		if ctx.Err() != nil {
			again = []string{"down"}
		}
		err = errors.Join(err, f.reverse(later, root), dockerCompose(later, root, f, nil, out, again...))
	}()
	if err := dockerCompose(ctx, root, f, f.Variables, out, "up", "--build", "--detach"); err != nil {
		return unlessEnded(ctx, err)
	}
	fmt.Fprintf(out, "\nFind the fault in Grafana: http://localhost:%s. The traffic lasts about three minutes.\n",
		cmp.Or(os.Getenv("GRAFANA_PORT"), "3000"))
	return unlessEnded(ctx, ask())
}

// checkUnchanged returns an error if the user has changed a file that the fault would change. It knows only of changes in a clone.
func checkUnchanged(ctx context.Context, root string, f fault) error {
	files := f.files()
	if len(files) == 0 || git(ctx, root, "rev-parse", "--git-dir").Run() != nil {
		return nil //nolint:nilerr // not a clone
	}
	output, err := git(ctx, root, append([]string{"status", "--porcelain", "--"}, files...)...).Output()
	if err != nil {
		return fmt.Errorf("looking for uncommitted changes: %w", err)
	}
	if len(output) > 0 {
		return fmt.Errorf("%s has uncommitted changes in files that the incident would change: commit or stash them first", f.Stage)
	}
	return nil
}

func dockerCompose(ctx context.Context, root string, f fault, variables []string, out io.Writer, arguments ...string) error {
	command := exec.CommandContext(ctx, "docker", append([]string{"compose"}, arguments...)...)
	command.Dir = filepath.Join(root, f.Stage)
	command.Env = append(os.Environ(), variables...)
	command.Stdout, command.Stderr = out, out
	if err := command.Run(); err != nil {
		return fmt.Errorf("docker compose %s: %w", strings.Join(arguments, " "), err)
	}
	return nil
}
