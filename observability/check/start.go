package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"example.com/dice/observability/internal/compose"
)

// start creates the directory with the code that the stage starts from: the previous stage without its tests, README and telemetry
// declaration. The traffic generator and the modules are the stage's own. The first stage starts from its plain service.
func start(out io.Writer, c code) error {
	if c.isStage() {
		return fmt.Errorf("name a directory for your code, for example: %s my-%[2]s", c.command("-start"), strings.SplitN(c.stage.Name, "-", 2)[0])
	}
	if entries, err := os.ReadDir(c.directory); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty, so nothing was written: name a new directory", c.directory)
	}
	from := filepath.Join(c.stage.Directory, "plain")
	if c.stage.Before != "" {
		from = filepath.Join(c.stage.Root, c.stage.Before)
	}
	if err := copyTree(from, c.directory, isStart); err != nil {
		return err
	}
	if c.stage.Before != "" {
		if err := os.RemoveAll(filepath.Join(c.directory, compose.Traffic)); err != nil {
			return err
		}
		if err := copyTree(filepath.Join(c.stage.Directory, compose.Traffic), filepath.Join(c.directory, compose.Traffic), isStart); err != nil {
			return err
		}
		if err := c.renameStage(c.stage.Before); err != nil {
			return err
		}
	}
	if err := c.copyModule(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s contains the code that %s starts from. The tasks are in the section \"Build it yourself\" of %[2]s/README.md.\nTo check your code at any time:\n    %s\n",
		filepath.ToSlash(c.directory), c.stage.Name, c.command(""))
	return nil
}

// renameStage makes docker compose build the learner's code instead of the previous stage's.
func (c code) renameStage(before string) error {
	file := filepath.Join(c.directory, ".env")
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return write(file, []byte(strings.Replace(string(content), "="+before, "="+filepath.Base(c.directory), 1)))
}

// isStart reports whether a file is part of the code that a learner starts from.
func isStart(name string) bool {
	for part := range strings.SplitSeq(path.Dir(name), "/") {
		if slices.Contains([]string{"docs", "labs", "plain", "testdata"}, part) {
			return false
		}
	}
	base := path.Base(name)
	return !strings.HasSuffix(base, "_test.go") && !strings.HasPrefix(base, "dice.db") &&
		!slices.Contains([]string{"README.md", "telemetry.yaml", "go.mod", "go.sum"}, base)
}

func copyTree(from, to string, has func(name string) bool) error {
	return fs.WalkDir(os.DirFS(from), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !has(name) {
			return err
		}
		content, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		return write(filepath.Join(to, name), content)
	})
}

func write(file string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o644)
}

// copyModule makes the directory a module with the dependencies of the stage, in a workspace with shared, so that the go command and
// editors find both modules.
func (c code) copyModule() error {
	shared, err := filepath.Rel(c.directory, filepath.Join(c.stage.Root, "shared"))
	if err != nil {
		absolute, absErr := filepath.Abs(c.directory)
		if absErr != nil {
			return errors.Join(err, absErr)
		}
		if shared, err = filepath.Rel(absolute, filepath.Join(c.stage.Root, "shared")); err != nil {
			return err
		}
	}
	shared = filepath.ToSlash(shared)
	version := "" // the line of go.mod that says which Go the stage needs
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(c.stage.Directory, name))
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(content)) {
			if strings.HasPrefix(line, "go ") {
				version = line
			}
		}
		text := strings.Replace(string(content), "=> ../shared\n", "=> "+shared+"\n", 1)
		if err := write(filepath.Join(c.directory, name), []byte(text)); err != nil {
			return err
		}
	}
	return write(filepath.Join(c.directory, "go.work"), []byte(version+"\nuse (\n\t.\n\t"+shared+"\n)\n"))
}
