// Package lesson finds the changes from one stage to the next that a reader studies.
package lesson

import (
	"bytes"
	"cmp"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"example.com/dice/observability/internal/readme"
	"example.com/dice/observability/internal/stages"
)

// Step is the part of the difference between two directories that a reader studies.
type Step struct {
	Before, After string // directories, relative to the repository
	Files         []File // in reading order
}

// File is a file that was added, changed or removed.
type File struct {
	Name          string // relative to the directory
	Before, After string // paths; Before is empty for a new file, After for a removed one
	News          string // a summary of the changes, from the README
}

// Find returns the step to a stage. The step to the first stage starts from the service without instrumentation.
func Find(stage stages.Stage, tests bool) (Step, error) {
	s := Step{Before: stage.Before, After: stage.Name}
	if stage.Before == "" {
		s = Step{Before: path.Join(stage.Name, "plain"), After: path.Join(stage.Name, "roll")}
	}
	text, err := readme.Read(filepath.Join(stage.Directory, "README.md"))
	if err != nil {
		return Step{}, err
	}
	return s, s.find(stage.Root, text, tests)
}

// find finds the files of the step.
func (s *Step) find(root string, text readme.Readme, tests bool) error {
	before, err := read(filepath.Join(root, s.Before), tests)
	if err != nil {
		return err
	}
	after, err := read(filepath.Join(root, s.After), tests)
	if err != nil {
		return err
	}
	all := maps.Clone(before)
	maps.Copy(all, after)
	for name := range all {
		old, existed := before[name]
		content, exists := after[name]
		if existed && exists && bytes.Equal(old, content) {
			continue
		}
		f := File{Name: name, News: news(text, name)}
		if existed {
			f.Before = filepath.Join(root, s.Before, name)
		}
		if exists {
			f.After = filepath.Join(root, s.After, name)
		}
		s.Files = append(s.Files, f)
	}
	slices.SortFunc(s.Files, func(a, b File) int {
		return cmp.Or(cmp.Compare(a.Rank(), b.Rank()), strings.Compare(a.Name, b.Name))
	})
	return nil
}

// read returns the content of the files below a directory that a reader studies.
func read(directory string, tests bool) (map[string][]byte, error) {
	files := make(map[string][]byte)
	err := fs.WalkDir(os.DirFS(directory), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{"dashboards", "docs", "labs", "plain", "testdata"}, name):
			return fs.SkipDir
		case entry.IsDir(), !studied(entry.Name(), tests):
			return nil
		}
		files[name], err = os.ReadFile(filepath.Join(directory, name))
		return err
	})
	return files, err
}

// studied reports whether a file with this name is part of a lesson.
func studied(name string, tests bool) bool {
	if strings.HasSuffix(name, "_test.go") {
		return tests
	}
	switch name {
	case "README.md", "go.sum", "telemetry.yaml", ".env":
		return false
	}
	return !strings.HasPrefix(name, "dice.db") // left behind by a die service
}

// news returns a README's summary of the changes in a file.
func news(text readme.Readme, name string) string {
	for _, table := range text.Tables {
		for _, row := range table {
			if len(row) == 2 && row[0] == name {
				return row[1]
			}
		}
	}
	return ""
}

// Rank is the place of a file in the reading order.
func (f File) Rank() int {
	name := path.Base(f.Name)
	switch {
	case strings.Contains(f.News, "read this one"):
		return 0
	case name == "instruments.go":
		return 1
	case strings.HasSuffix(name, "_test.go"):
		return 5
	case !slices.Contains([]string{".go", ".html", ".sql"}, path.Ext(name)):
		return 6 // configuration
	case strings.HasPrefix(f.Name, "traffic/"):
		return 4
	case slices.Contains([]string{"main.go", "config.go", "router.go"}, name):
		return 3 // wiring
	}
	return 2
}
