package main

import (
	"os"
	"path"
	"path/filepath"
	"strings"

	"example.com/dice/observability/internal/stages"
)

// code is the code to check, and the stage to compare it with.
type code struct {
	stage     stages.Stage
	directory string // absolute
	programs  string // directory that keeps the programs for the next check; temporary if empty
}

// newCode returns the code in a directory, or the stage's own if the directory is empty.
func newCode(stage stages.Stage, directory string) (code, error) {
	if directory == "" {
		return code{stage: stage, directory: stage.Directory}, nil
	}
	absolute, err := filepath.Abs(directory)
	if err != nil {
		return code{}, err
	}
	if here, err := os.Stat(absolute); err == nil {
		if own, err := os.Stat(stage.Directory); err == nil && os.SameFile(here, own) {
			absolute = stage.Directory
		}
	}
	return code{stage: stage, directory: absolute}, nil
}

// isStage reports whether the code is the stage's own.
func (c code) isStage() bool { return c.directory == c.stage.Directory }

// name returns the directory as seen from the root of the repository.
func (c code) name() string { return relative(c.stage.Root, c.directory) }

// command returns the command line that runs this program for the same stage and directory, in the working directory. The name may be empty.
func (c code) command(name string) string {
	here, err := os.Getwd()
	if err != nil {
		here = c.stage.Root
	}
	words := append(tool(here, c.stage.Root, "check"), name, c.stage.Name)
	if name == "" {
		words = append(tool(here, c.stage.Root, "check"), c.stage.Name)
	}
	if !c.isStage() {
		words = append(words, relative(here, c.directory))
	}
	return strings.Join(words, " ")
}

// next returns the code that a learner builds after this stage, or false if it is the last.
func (c code) next() (code, bool) {
	all, err := stages.All(c.stage.Root)
	if err != nil || c.stage.Number >= len(all) {
		return code{}, false
	}
	return suggestion(all[c.stage.Number]), true
}

// suggestion is a directory for a learner's code.
func suggestion(stage stages.Stage) code {
	_, topic, _ := strings.Cut(stage.Name, "-")
	return code{stage: stage, directory: filepath.Join(stage.Root, "my-"+topic)}
}

// incident returns the command line that runs the stage with a fault.
func (c code) incident() string {
	here, err := os.Getwd()
	if err != nil {
		here = c.stage.Root
	}
	return strings.Join(append(tool(here, c.stage.Root, "incident"), c.stage.Name), " ")
}

// tool returns the words of a command line that runs a tool of the repository in a directory.
func tool(here, root, name string) []string {
	to := relative(here, filepath.Join(root, "observability", name))
	if !strings.HasPrefix(to, "../") {
		to = "./" + path.Clean(to)
	}
	return []string{"go", "run", to}
}

// relative returns the path to a file from a directory, with slashes, or its absolute path if there is none.
func relative(from, to string) string {
	path, err := filepath.Rel(from, to)
	if err != nil {
		path = to
	}
	return filepath.ToSlash(path)
}
