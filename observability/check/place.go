package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"example.com/dice/observability/internal/lesson"
	"example.com/dice/observability/internal/progress"
	"example.com/dice/observability/internal/stages"
)

// place is the code in a stage that adds an item.
type place struct {
	file, news  string // the file is relative to the repository
	number      int    // of the line
	line, hunks string
}

// find looks for the code that adds an item: in the stage's lesson, then in the earlier lessons, then in all files of the stage.
func (c code) find(m *progress.Missing) (place, error) {
	all, err := stages.All(c.stage.Root)
	if err != nil {
		return place{}, err
	}
	for _, needle := range m.Needles {
		for _, stage := range slices.Backward(all[:c.stage.Number]) {
			step, err := lesson.Find(stage, false)
			if err != nil {
				return place{}, err
			}
			found, err := search(step, m.Service, needle)
			if err != nil || found.file != "" {
				return found, err
			}
		}
	}
	for _, needle := range m.Needles {
		found, err := c.searchAll(m.Service, needle)
		if err != nil || found.file != "" {
			return found, err
		}
	}
	return place{}, fmt.Errorf("no lesson contains this item: read the README of %s", c.stage.Name)
}

// searchAll looks for a text in a service, in the configuration of its stage, and in the packages that all services share.
func (c code) searchAll(service, needle string) (place, error) {
	for _, pattern := range []string{path.Join(c.stage.Name, service, "*.go"), path.Join(c.stage.Name, "*.yaml"), "shared/*/*.go"} {
		files, err := filepath.Glob(filepath.Join(c.stage.Root, pattern))
		if err != nil {
			return place{}, err
		}
		for _, file := range files {
			number, line, err := lineOf(file, needle)
			if err != nil {
				return place{}, err
			}
			if line == "" || strings.HasSuffix(file, "_test.go") {
				continue
			}
			name := path.Join(path.Dir(pattern), filepath.Base(file))
			if strings.HasPrefix(pattern, "shared") {
				name = path.Join("shared", filepath.Base(filepath.Dir(file)), filepath.Base(file))
			}
			return place{name, "unchanged since the previous stage", number, line, line + "\n"}, nil
		}
	}
	return place{}, nil
}

// search looks for a text in the lines that a step adds: in the service's files first, then in the configuration.
func search(step lesson.Step, service, needle string) (place, error) {
	for _, own := range []bool{true, false} {
		for _, f := range step.Files {
			if f.After == "" || strings.HasSuffix(step.After, "/roll") != own && strings.HasPrefix(f.Name, service+"/") != own || strings.HasPrefix(f.Name, "traffic/") {
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
			number, text, err := lineOf(f.After, needle)
			return place{path.Join(step.After, f.Name), f.News, number, text, added}, err
		}
	}
	return place{}, nil
}

// withNeedle returns the hunks that add a line with a text.
func withNeedle(hunks, needle string) string {
	var out strings.Builder
	for _, hunk := range splitHunks(hunks) {
		for line := range strings.Lines(hunk) {
			if strings.HasPrefix(line, "+") && strings.Contains(line, needle) {
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
		line = strings.TrimSpace(line)
		if strings.Contains(line, needle) && !strings.HasPrefix(line, "//") && !strings.HasPrefix(line, "#") {
			return i + 1, line, nil
		}
	}
	return 0, "", nil
}
