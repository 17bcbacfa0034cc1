package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// startOfRoll is the call that starts the span of a roll.
var startOfRoll = regexp.MustCompile(`[\w.]+\.Start\((\w+), "roll die"`)

// printNotice prints the optional item: whether the learner's own tests of the roll service notice when its span is gone.
func printNotice(ctx context.Context, out io.Writer, c code, s sources) error {
	if c.isStage() || !slices.Contains(s.own, "roll") {
		return nil
	}
	const title = `your tests notice when the span "roll die" is gone`
	reason, err := notice(ctx, s.stage.Service("roll").Source)
	switch {
	case err != nil:
		return err
	case reason == "":
		fmt.Fprintf(out, "  ✓ optional: %s\n", title)
	default:
		fmt.Fprintf(out, "Optional: %s.\n    %s The section \"Test it\" of stage1-roll/README.md shows such a test.\n", title, reason)
	}
	return nil
}

// notice runs the tests in a directory with the span and without it. It returns why they do not notice the difference, or "".
func notice(ctx context.Context, directory string) (reason string, err error) {
	const kept = "The checker could not remove the span."
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	if tests, err := filepath.Glob(filepath.Join(directory, "*_test.go")); err != nil || len(tests) == 0 {
		return "There are no tests of roll yet.", err
	}
	temporary, err := os.MkdirTemp("", "dice-notice-")
	if err != nil {
		return "", fmt.Errorf("creating a directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temporary)) }()
	overlay, err := withoutSpan(directory, temporary)
	if err != nil || overlay == "" {
		return kept, err
	}
	if output := test(ctx, directory); output != "" {
		return "The tests of roll already fail.", ctx.Err()
	}
	switch output := test(ctx, directory, "-overlay="+overlay); {
	case output == "":
		return "They still pass without it.", ctx.Err()
	case strings.Contains(output, "[build failed]"):
		return kept, ctx.Err()
	}
	return "", ctx.Err()
}

// test runs the tests in a directory, and returns their output if they fail.
func test(ctx context.Context, directory string, flags ...string) string {
	command := exec.CommandContext(ctx, "go", append([]string{"test", "-count=1", "-vet=off", "-timeout=2m"}, flags...)...)
	command.Dir = directory
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) } // go removes its directory, and its children must not go on
	command.WaitDelay = 10 * time.Second
	if output, err := command.CombinedOutput(); err != nil {
		return string(output) + err.Error()
	}
	return ""
}

// withoutSpan writes an overlay for the go command, in which the span of a roll is never recorded. It returns the overlay's name, or "" if
// the code does not start the span in a known way.
func withoutSpan(directory, temporary string) (string, error) {
	replace := make(map[string]string)
	files, err := filepath.Glob(filepath.Join(directory, "*.go"))
	if err != nil {
		return "", err
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		if !strings.HasSuffix(file, "_test.go") && startOfRoll.Match(content) {
			text := strings.Replace(string(content), "package main", "package main\n\nimport spanIsGone \"go.opentelemetry.io/otel/trace/noop\"", 1)
			text = startOfRoll.ReplaceAllString(text, `spanIsGone.NewTracerProvider().Tracer("").Start($1, "roll die"`)
			changed := filepath.Join(temporary, filepath.Base(file))
			replace[file] = changed
			if err := write(changed, []byte(text)); err != nil {
				return "", err
			}
		}
	}
	if len(replace) == 0 {
		return "", nil
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	name := filepath.Join(temporary, "overlay.json")
	return name, errors.Join(err, write(name, overlay))
}
