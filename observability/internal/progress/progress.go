// Package progress keeps a learner's results in a file in the root of the repository. Git ignores the file.
package progress

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// File is the name of the file.
const File = ".progress.json"

// Progress is a learner's results, by the name of the stage.
type Progress struct {
	Code      map[string]map[string]Check `json:"code"`      // by the name of the directory too
	Incidents map[string][]string         `json:"incidents"` // those answered right at the first try
}

// Check is the result of a stage's checklist for the code in one directory.
type Check struct {
	Done    int      `json:"done"` // items in the last check
	Of      int      `json:"of"`
	Best    int      `json:"best"` // the most items in any check
	Missing *Missing `json:"missing,omitempty"`
}

// Missing is the first missing item.
type Missing struct {
	Service string   `json:"service"`
	Title   string   `json:"title"`
	Reason  string   `json:"reason"`
	Advice  string   `json:"advice"`
	Needles []string `json:"needles"`
	Hints   int      `json:"hints"` // how many were printed
}

// Read returns the progress of the learner who works in the repository at root. Without a file, it is empty.
func Read(root string) (Progress, error) {
	p := Progress{Code: make(map[string]map[string]Check), Incidents: make(map[string][]string)}
	content, err := os.ReadFile(filepath.Join(root, File))
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("reading your progress: %w", err)
	}
	if err := json.Unmarshal(content, &p); err != nil {
		return p, fmt.Errorf("reading your progress: %s: %w; delete the file to start over", File, err)
	}
	if p.Code == nil {
		p.Code = make(map[string]map[string]Check)
	}
	return p, nil
}

// Set sets the result of a stage for a directory.
func (p Progress) Set(stage, directory string, c Check) {
	if p.Code[stage] == nil {
		p.Code[stage] = make(map[string]Check)
	}
	p.Code[stage][directory] = c
}

// Write saves the progress in the repository at root.
func (p Progress) Write(root string) error {
	content, err := json.MarshalIndent(p, "", "\t")
	if err != nil {
		return fmt.Errorf("writing your progress: %w", err)
	}
	if err := os.WriteFile(filepath.Join(root, File), append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing your progress: %w", err)
	}
	return nil
}
