package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"example.com/dice/observability/internal/compose"
)

// checkCompiler checks before the long build that there is a C compiler, which SQLite needs.
func checkCompiler(ctx context.Context, stage *compose.Stage) error {
	module, err := os.ReadFile(filepath.Join(stage.Dir, "go.mod"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !bytes.Contains(module, []byte("/go-sqlite3 ")) {
		return nil
	}
	output, err := exec.CommandContext(ctx, "go", "env", "CC", "CGO_ENABLED").Output()
	if err != nil {
		return fmt.Errorf("finding the C compiler: %w", err)
	}
	compiler, enabled, _ := strings.Cut(strings.TrimSpace(string(output)), "\n")
	program, _, _ := strings.Cut(compiler, " ")
	if _, err := exec.LookPath(program); err != nil || enabled != "1" {
		return fmt.Errorf("%s needs a C compiler (gcc or clang) and CGO_ENABLED=1 for SQLite: install one, or use Docker", stage.Name)
	}
	return nil
}

// build builds a stage's services into a directory, each under its name.
func build(ctx context.Context, stage *compose.Stage, into string) error {
	var own []string // the stage's packages, built together so that nothing is compiled twice
	for _, service := range stage.Services {
		if service.Source == filepath.Join(stage.Dir, service.Name) {
			own = append(own, "./"+service.Name)
			continue
		}
		if err := goBuild(ctx, service.Source, filepath.Join(into, service.Name), "."); err != nil {
			return fmt.Errorf("building %s: %w", service.Name, err)
		}
	}
	if len(own) == 0 {
		return nil
	}
	if err := goBuild(ctx, stage.Dir, into, own...); err != nil {
		return fmt.Errorf("building %s: %w", stage.Name, err)
	}
	return nil
}

// goBuild builds packages into a directory, without debug information, because that takes time to link.
func goBuild(ctx context.Context, directory, output string, packages ...string) error {
	command := exec.CommandContext(ctx, "go", append([]string{"build", "-ldflags=-s -w", "-o", output}, packages...)...)
	command.Dir = directory
	text, err := command.CombinedOutput()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, text)
	}
	return nil
}
