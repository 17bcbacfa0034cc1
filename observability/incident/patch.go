package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// apply changes the files in the repository at root, or in a copy of it.
func (f fault) apply(ctx context.Context, root string) error { return f.git(ctx, root, "apply") }

// reverse removes the change.
func (f fault) reverse(ctx context.Context, root string) error {
	return f.git(ctx, root, "apply", "--reverse")
}

func (f fault) git(ctx context.Context, root string, arguments ...string) error {
	if len(f.patch) == 0 {
		return nil
	}
	command := exec.CommandContext(ctx, "git", arguments...)
	command.Dir = root
	command.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(root)) // a copy is not in a repository
	command.Stdin = bytes.NewReader(f.patch)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("changing %s: %w\n%s", f.Stage, err, output)
	}
	return nil
}
