package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// apply changes the files in the repository at root, or in a copy of it.
func (f fault) apply(ctx context.Context, root string) error {
	if err := f.change(ctx, root, "apply"); err != nil {
		return fmt.Errorf("putting the fault into %s, whose files must be as they were cloned: %w", f.Stage, err)
	}
	return nil
}

// reverse removes the change.
func (f fault) reverse(ctx context.Context, root string) error {
	if err := f.change(ctx, root, "apply", "--reverse"); err != nil {
		return fmt.Errorf("removing the fault, which is still in %s: %w", strings.Join(f.files(), ", "), err)
	}
	return nil
}

// change runs git with the patch as input. It fails unless all files are different afterwards: git ignores a patch without a word if
// it takes the files for another repository's.
func (f fault) change(ctx context.Context, root string, arguments ...string) error {
	if len(f.patch) == 0 {
		return nil
	}
	before, err := f.contents(root)
	if err != nil {
		return err
	}
	command := git(ctx, root, arguments...)
	command.Stdin = bytes.NewReader(f.patch)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("git %s: %w\n%s", strings.Join(arguments, " "), err, bytes.TrimSpace(output))
	}
	after, err := f.contents(root)
	if err != nil {
		return err
	}
	for i, file := range f.files() {
		if bytes.Equal(before[i], after[i]) {
			return errors.New("git left " + file + " as it was")
		}
	}
	return nil
}

// contents returns the contents of the files that the patch changes.
func (f fault) contents(root string) ([][]byte, error) {
	var all [][]byte
	for _, file := range f.files() {
		content, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			return nil, err
		}
		all = append(all, content)
	}
	return all, nil
}

// git returns a git command that runs in the directory root, and takes neither a directory above it nor one that a variable names for
// the repository.
func git(ctx context.Context, root string, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "git", arguments...)
	command.Dir = root
	command.Env = append(slices.DeleteFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(variable, "GIT_") }),
		"GIT_CEILING_DIRECTORIES="+filepath.Dir(root))
	return command
}
