package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"example.com/dice/observability/internal/compose"
)

// start creates the directory with the code that the stage starts from: the previous stage without its tests, README and telemetry
// declaration. The traffic generator and the modules are the stage's own. The first stage starts with its plain service.
func start(out io.Writer, c code) error {
	if err := c.checkDirectory(); err != nil {
		return err
	}
	if err := c.create(); err != nil {
		return errors.Join(err, os.RemoveAll(c.directory))
	}
	fmt.Fprintf(out, "%s contains the code that %s starts from. The tasks are in the section \"Build it yourself\" of %[2]s/README.md.\nTo check your code whenever you save a file:\n    %s\n",
		c.name(), c.stage.Name, c.command("watch"))
	return nil
}

// learners are the names of directories that Docker's build and .gitignore take for a learner's, and docker compose for a project.
var learners = regexp.MustCompile(`^my[a-z0-9_-]*$`)

// checkDirectory returns an error if the directory exists, or if docker compose could not build the code in it.
func (c code) checkDirectory() error {
	parent, err := filepath.EvalSymlinks(filepath.Dir(c.directory))
	if root, rootErr := filepath.EvalSymlinks(c.stage.Root); err != nil || rootErr != nil || parent != root || !learners.MatchString(filepath.Base(c.directory)) {
		return fmt.Errorf("%s: your code must be in a directory next to the stages, and its name must begin with \"my\" and consist of lower-case letters, digits, - and _, for example: %s",
			c.name(), suggestion(c.stage).command("start"))
	}
	if entries, err := os.ReadDir(c.directory); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty, so nothing was written: name a new directory", c.name())
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// create writes all files.
func (c code) create() error {
	before := filepath.Join(c.stage.Root, c.stage.Before)
	traffic := filepath.Join(c.stage.Directory, compose.Traffic)
	parts := map[string]string{"": before, compose.Traffic: traffic}
	if c.stage.Before == "" {
		parts = map[string]string{"": c.stage.Directory, "roll": filepath.Join(c.stage.Directory, "plain")}
	}
	for _, part := range []string{"", "roll", compose.Traffic} {
		from, ok := parts[part]
		if !ok {
			continue
		}
		to := filepath.Join(c.directory, part)
		if err := os.RemoveAll(to); err != nil {
			return err
		}
		if err := copyTree(from, to, isStart); err != nil {
			return err
		}
	}
	if err := c.renameStage(); err != nil {
		return err
	}
	return c.copyModule()
}

// renameStage makes docker compose build the learner's code instead of the stage's.
func (c code) renameStage() error {
	file := filepath.Join(c.directory, ".env")
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	line := regexp.MustCompile(`(?m)^DICE_STAGE=.*$`)
	return write(file, line.ReplaceAll(content, []byte("DICE_STAGE="+filepath.Base(c.directory))))
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

// copyModule makes the directory a module with the dependencies of the stage. Its workspace has the shared packages, for the go command and
// editors, and the tools, so that they run in this directory too.
func (c code) copyModule() error {
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(c.stage.Directory, name))
		if err != nil {
			return err
		}
		if err := write(filepath.Join(c.directory, name), content); err != nil {
			return err
		}
	}
	workspace, err := os.ReadFile(filepath.Join(c.stage.Root, "go.work"))
	if err != nil {
		return err
	}
	version, _, _ := strings.Cut(string(workspace), "\n") // which Go it needs
	sums, err := os.ReadFile(filepath.Join(c.stage.Root, "go.work.sum"))
	if err != nil {
		return err
	}
	if err := write(filepath.Join(c.directory, "go.work.sum"), sums); err != nil {
		return err
	}
	return write(filepath.Join(c.directory, "go.work"), []byte(version+"\n\nuse (\n\t.\n\t../observability\n\t../shared\n)\n"))
}
