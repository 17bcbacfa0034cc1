package main

import (
	"path/filepath"
	"strings"

	"example.com/dice/observability/internal/stages"
)

// code is the code to check, and the stage to compare it with.
type code struct {
	stage     stages.Stage
	directory string // may be relative to the working directory
}

// isStage reports whether the code is the stage's own.
func (c code) isStage() bool { return c.directory == c.stage.Directory }

// command returns the command line that runs this program for the same stage and directory. The name may be empty.
func (c code) command(name string) string {
	words := []string{"go run ./observability/check", name, c.stage.Name}
	if name == "" {
		words = []string{"go run ./observability/check", c.stage.Name}
	}
	if !c.isStage() {
		words = append(words, filepath.ToSlash(c.directory))
	}
	return strings.Join(words, " ")
}
