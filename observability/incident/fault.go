package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"example.com/dice/observability/internal/incidents"
)

// fault is a change that breaks a stage, with questions about it and an explanation.
type fault struct {
	Name, Stage string   `yaml:"-"`
	Symptom     string   // as reported by users or an alert
	Lab         string   // the patch, relative to the stage's directory, if the fault is one of the README's
	Variables   []string // of docker compose, each NAME=value
	Questions   []question
	Report      string // where the fault shows in the report of a run without Docker
	Way         []step // how to find the fault in Grafana
	Fix         string

	patch []byte // empty if the variables alone are the fault
}

// question has one right answer and three wrong ones.
type question struct {
	Ask   string
	Right string
	Wrong []wrongAnswer
}

// wrongAnswer is a wrong answer, with a sentence about the data that rule it out.
type wrongAnswer struct{ Answer, Why string }

// step is a query in one of three languages, with a description of its result.
type step struct{ PromQL, TraceQL, LogQL, Shows string }

func (s step) language() (language, query string) {
	switch {
	case s.PromQL != "":
		return "PromQL", s.PromQL
	case s.TraceQL != "":
		return "TraceQL", s.TraceQL
	default:
		return "LogQL", s.LogQL
	}
}

// changed matches the lines of a patch that name a file.
var changed = regexp.MustCompile(`(?m)^((?:---|\+\+\+) [ab])/`)

// load reads a fault from the repository at root.
func load(root, stage, name string) (fault, error) {
	f := fault{Name: name, Stage: stage}
	file := filepath.Join(incidents.Directory(root, stage), name)
	content, err := os.ReadFile(file + ".yaml")
	if err != nil {
		return f, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&f); err != nil {
		return f, fmt.Errorf("reading incident %s: %w", file, err)
	}
	if f.Lab != "" {
		f.patch, err = os.ReadFile(filepath.Join(root, stage, filepath.FromSlash(f.Lab)))
		f.patch = changed.ReplaceAll(f.patch, []byte("$1/"+stage+"/")) // the patches of labs are relative to the stage
	} else if f.patch, err = os.ReadFile(file + ".patch"); errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return f, err
}

// files returns the files that the patch changes, relative to the root of the repository.
func (f fault) files() []string {
	var files []string
	for line := range strings.Lines(string(f.patch)) {
		if file, found := strings.CutPrefix(line, "+++ b/"); found {
			files = append(files, strings.TrimSpace(file))
		}
	}
	return files
}

// reversed returns the reverse patch, which removes the fault.
func (f fault) reversed() string {
	var out, added, removed strings.Builder
	flush := func() {
		out.WriteString(removed.String() + added.String())
		added.Reset()
		removed.Reset()
	}
	for line := range strings.Lines(string(f.patch)) {
		switch {
		case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "@@"):
			flush()
			out.WriteString(swapRanges(line))
		case line[0] == '-':
			added.WriteString("+" + line[1:])
		case line[0] == '+':
			removed.WriteString("-" + line[1:])
		default:
			flush()
			out.WriteString(line)
		}
	}
	flush()
	return out.String()
}

// swapRanges swaps the ranges in the header of a hunk, such as "@@ -1,2 +1,3 @@ func main()".
func swapRanges(line string) string {
	words := strings.SplitN(line, " ", 4)
	if words[0] == "@@" && len(words) == 4 {
		words[1], words[2] = "-"+words[2][1:], "+"+words[1][1:]
	}
	return strings.Join(words, " ")
}
