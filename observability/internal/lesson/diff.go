package lesson

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// Differ compares files, using git if it is installed.
type Differ struct {
	Git   string // path of the program, or empty
	Color bool   // whether git uses the colors that its user has configured
}

// NewDiffer returns a differ without colors.
func NewDiffer() Differ {
	git, err := exec.LookPath("git")
	if err != nil {
		return Differ{}
	}
	return Differ{Git: git}
}

// Hunks returns the difference between two files in unified format, without the file headers. The path of a file that
// does not exist is empty.
func (d Differ) Hunks(before, after string) (string, error) {
	if d.Git == "" {
		return plainHunks(before, after)
	}
	color := "--color=never"
	if d.Color {
		color = "--color=always"
	}
	command := exec.Command(d.Git, "diff", "--no-index", "--no-ext-diff", color, "--", cmp.Or(before, os.DevNull), cmp.Or(after, os.DevNull))
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 1) { // 1: they differ
		return "", fmt.Errorf("comparing %s and %s: %w: %s", before, after, err, &stderr)
	}
	return withoutHeaders(string(output)), nil
}

// plainHunks is Hunks without git.
func plainHunks(before, after string) (string, error) {
	var texts [2]string
	for i, file := range []string{before, after} {
		if file == "" {
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		texts[i] = string(content)
	}
	return withoutHeaders(udiff.Unified(before, after, texts[0], texts[1])), nil
}

// withoutHeaders removes all lines before the first hunk.
func withoutHeaders(diff string) string {
	start := 0
	for line := range strings.Lines(diff) {
		if strings.Contains(line, "@@ -") {
			break
		}
		start += len(line)
	}
	return diff[start:]
}
