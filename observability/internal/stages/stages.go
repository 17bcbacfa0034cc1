// Package stages lists the tutorial's stages. The list comes from go.work, so that no other directory is taken for a stage.
package stages

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
)

// Stage is one stage of the tutorial.
type Stage struct {
	Name      string // of the directory, such as stage2-frontend
	Number    int    // from 1
	Before    string // name of the previous stage; empty for the first
	Root      string // of the repository; absolute
	Directory string // absolute
}

const workspace = "go.work"

// Root returns the root of the repository: the working directory or a directory above it. The go.work of a learner's directory
// lists no stages, and is passed over.
func Root() (string, error) {
	directory, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		names, err := read(directory)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if len(names) > 0 {
			return directory, nil
		}
		parent := filepath.Dir(directory)
		if parent == directory {
			return "", errors.New("not in the repository: run this in its root or below")
		}
		directory = parent
	}
}

// All returns the stages of the repository at root, in their order.
func All(root string) ([]Stage, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	names, err := read(root)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s lists no stages", filepath.Join(root, workspace))
	}
	all := make([]Stage, len(names))
	for i, name := range names {
		all[i] = Stage{Name: name, Number: i + 1, Root: root, Directory: filepath.Join(root, name)}
		if i > 0 {
			all[i].Before = names[i-1]
		}
	}
	return all, nil
}

// Names returns the names of the stages of the repository at root, in their order.
func Names(root string) ([]string, error) {
	all, err := All(root)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.Name
	}
	return names, nil
}

// Find returns the stage that an argument of the command line names: by its name, or as a path to its directory, which a shell
// completes with a slash.
func Find(root, argument string) (Stage, error) {
	all, err := All(root)
	if err != nil {
		return Stage{}, err
	}
	names := make([]string, len(all))
	for i, s := range all {
		if filepath.Clean(argument) == s.Name || isSame(argument, s.Directory) {
			return s, nil
		}
		names[i] = s.Name
	}
	list := strings.Join(names, ", ")
	if argument == "" {
		return Stage{}, fmt.Errorf("want the name of one stage: %s", list)
	}
	return Stage{}, fmt.Errorf("unknown stage %q: must be one of %s", argument, list)
}

// FindOne is [Find] for the only argument of a command.
func FindOne(root string, arguments []string) (Stage, error) {
	if len(arguments) != 1 {
		return Find(root, "")
	}
	return Find(root, arguments[0])
}

func isSame(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// read returns the directories of go.work whose names begin with "stage", in its order.
func read(root string) ([]string, error) {
	file := filepath.Join(root, workspace)
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	work, err := modfile.ParseWork(file, content, nil)
	if err != nil {
		return nil, fmt.Errorf("reading the list of stages: %w", err)
	}
	var names []string
	for _, use := range work.Use {
		if name := path.Clean(use.Path); strings.HasPrefix(name, "stage") {
			names = append(names, name)
		}
	}
	return names, nil
}
