package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"example.com/dice/observability/internal/readme"
)

// step is the part of the difference between two directories that a reader studies.
type step struct {
	before, after string // directories, relative to the repository
	files         []file // in reading order
}

// file is a file that is new, has changed, or is gone.
type file struct {
	name          string // relative to the directory
	before, after string // paths; before is empty if the file is new, after if it is gone
	news          string // what is new in it, in the words of the README
}

// findRoot returns the root of the repository, which is the working directory or above it.
func findRoot() (string, error) {
	directory, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(directory, "go.work")); err == nil {
			return directory, nil
		}
		parent := filepath.Dir(directory)
		if parent == directory {
			return "", errors.New("run this inside the repository")
		}
		directory = parent
	}
}

// findStep returns the step to the stage that arguments name. The step to the first stage starts from the service without
// instrumentation.
func findStep(root string, arguments []string, tests bool) (step, error) {
	readmes, err := filepath.Glob(filepath.Join(root, "stage*", "README.md"))
	if err != nil || len(readmes) == 0 {
		return step{}, fmt.Errorf("no stages in %s", root)
	}
	var names []string
	for _, file := range readmes {
		names = append(names, filepath.Base(filepath.Dir(file)))
	}
	if len(arguments) != 1 {
		return step{}, fmt.Errorf("want the name of one stage: %s", strings.Join(names, ", "))
	}
	i := slices.Index(names, arguments[0])
	if i < 0 {
		return step{}, fmt.Errorf("unknown stage %q: must be one of %s", arguments[0], strings.Join(names, ", "))
	}
	s := step{before: path.Join(names[0], "plain"), after: path.Join(names[0], "roll")}
	if i > 0 {
		s = step{before: names[i-1], after: names[i]}
	}
	text, err := readme.Read(readmes[i])
	if err != nil {
		return step{}, err
	}
	return s, s.find(root, text, tests)
}

// find finds the files of the step.
func (s *step) find(root string, text readme.Readme, tests bool) error {
	before, err := read(filepath.Join(root, s.before), tests)
	if err != nil {
		return err
	}
	after, err := read(filepath.Join(root, s.after), tests)
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
		f := file{name: name, news: news(text, name)}
		if existed {
			f.before = filepath.Join(root, s.before, name)
		}
		if exists {
			f.after = filepath.Join(root, s.after, name)
		}
		s.files = append(s.files, f)
	}
	slices.SortFunc(s.files, func(a, b file) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), strings.Compare(a.name, b.name))
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

// news returns what a README says is new in a file.
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

// rank is the place of a file in the reading order.
func (f file) rank() int {
	name := path.Base(f.name)
	switch {
	case strings.Contains(f.news, "read this one"):
		return 0
	case name == "instruments.go":
		return 1
	case strings.HasSuffix(name, "_test.go"):
		return 5
	case !slices.Contains([]string{".go", ".html", ".sql"}, path.Ext(name)):
		return 6 // configuration
	case strings.HasPrefix(f.name, "traffic/"):
		return 4
	case slices.Contains([]string{"main.go", "config.go", "router.go"}, name):
		return 3 // wiring
	}
	return 2
}
