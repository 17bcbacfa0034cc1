package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/lesson"
	"example.com/dice/observability/internal/progress"
	"example.com/dice/observability/internal/stages"
)

// place is the code that adds an item.
type place struct {
	where       string // a sentence that names the file
	file        string // relative to the repository
	number      int    // of the line
	line, hunks string
}

// find looks for the code that adds an item: in the stage's lesson, in the earlier lessons, in the code that the learner started with, and in
// the packages that all services share.
func (c code) find(m *progress.Missing) (place, error) {
	all, err := stages.All(c.stage.Root)
	if err != nil {
		return place{}, err
	}
	for _, needle := range m.Needles {
		for _, stage := range slices.Backward(all[:c.stage.Number]) {
			found, err := inLesson(stage, m.Service, needle)
			if err != nil || found.file != "" {
				return found, err
			}
		}
	}
	for _, needle := range m.Needles {
		found, err := c.outside(m.Service, needle)
		if err != nil || found.file != "" {
			return found, err
		}
	}
	return place{}, fmt.Errorf("no lesson contains this item: read the README of %s", c.stage.Name)
}

// inLesson looks for a text in the lines that a lesson adds: in the service's files first, then in files that belong to no service.
func inLesson(stage stages.Stage, service, needle string) (place, error) {
	step, err := lesson.Find(stage, false)
	if err != nil {
		return place{}, err
	}
	for _, owner := range []string{service, ""} {
		for _, f := range step.Files {
			if f.After == "" || ownerOf(step, f) != owner {
				continue
			}
			hunks, err := lesson.Differ{}.Hunks(f.Before, f.After)
			if err != nil {
				return place{}, err
			}
			added := withNeedle(hunks, needle)
			if added == "" {
				continue
			}
			name := path.Join(step.After, f.Name)
			number, text, err := lineOf(f.After, needle)
			return place{fmt.Sprintf("The lesson adds it in %s: %s.", name, f.News), name, number, text, added}, err
		}
	}
	return place{}, nil
}

// ownerOf returns the service that a file of a lesson belongs to, or "".
func ownerOf(step lesson.Step, f lesson.File) string {
	if path.Base(step.After) == "roll" { // the first lesson is about one service
		return "roll"
	}
	service, _, ok := strings.Cut(f.Name, "/")
	if !ok {
		return ""
	}
	return service
}

// outside looks for a text in the code that the learner started with, and in the packages that all services share.
func (c code) outside(service, needle string) (place, error) {
	begin := path.Join(c.stage.Before, service)
	if c.stage.Before == "" {
		begin = path.Join(c.stage.Name, "plain")
	}
	for _, p := range []struct{ pattern, where string }{
		{path.Join(begin, "*.go"), "Your code had it at the start. Compare it with %s."},
		{path.Join(begin, "..", "*.yaml"), "Your code had it at the start. Compare it with %s."},
		{"shared/*/*.go", "The package that all services use for it has it in %s."},
	} {
		files, err := filepath.Glob(filepath.Join(c.stage.Root, p.pattern))
		if err != nil {
			return place{}, err
		}
		for _, file := range files {
			number, line, err := lineOf(file, needle)
			if err != nil {
				return place{}, err
			}
			if line == "" || strings.HasSuffix(file, "_test.go") || strings.HasSuffix(file, "telemetry.yaml") {
				continue
			}
			name := relative(c.stage.Root, file)
			return place{fmt.Sprintf(p.where, name), name, number, line, line + "\n"}, nil
		}
	}
	return place{}, nil
}

// withNeedle returns the hunks that add a line with a text.
func withNeedle(hunks, needle string) string {
	var out strings.Builder
	for _, hunk := range splitHunks(hunks) {
		for line := range strings.Lines(hunk) {
			if strings.HasPrefix(line, "+") && strings.Contains(line, needle) && !isComment(line[1:]) {
				out.WriteString(hunk)
				break
			}
		}
	}
	return out.String()
}

func splitHunks(hunks string) []string {
	var all []string
	for line := range strings.Lines(hunks) {
		if strings.HasPrefix(line, "@@ ") {
			all = append(all, "")
		}
		if len(all) > 0 {
			all[len(all)-1] += line
		}
	}
	return all
}

// lineOf returns the first line of a file that contains a text and is not a comment.
func lineOf(file, needle string) (number int, text string, err error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return 0, "", err
	}
	for i, line := range strings.Split(string(content), "\n") {
		if strings.Contains(line, needle) && !isComment(line) {
			return i + 1, strings.TrimSpace(line), nil
		}
	}
	return 0, "", nil
}

func isComment(line string) bool {
	line = strings.TrimSpace(line)
	return strings.HasPrefix(line, "//") || strings.HasPrefix(line, "#")
}

// differences returns what differs between the learner's files and those of the stage, for the files that the lesson touches.
func (c code) differences() ([]place, error) {
	step, err := lesson.Find(c.stage, false)
	if err != nil {
		return nil, err
	}
	var all []place
	for _, f := range step.Files {
		if f.After == "" || ownerOf(step, f) == compose.Traffic {
			continue
		}
		own := filepath.Join(c.directory, f.Name)
		if inService := filepath.Join(c.directory, "roll", f.Name); ownerOf(step, f) == "roll" && path.Base(step.After) == "roll" && !holdsGo(c.directory) {
			own = inService
		}
		if !isFile(own) {
			own = ""
		}
		hunks, err := lesson.NewDiffer().Hunks(own, f.After)
		if err != nil {
			return nil, err
		}
		if hunks != "" {
			all = append(all, place{where: f.News, file: path.Join(step.After, f.Name), hunks: hunks})
		}
	}
	return all, nil
}
