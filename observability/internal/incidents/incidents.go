// Package incidents finds the faults that the incident command can put into a stage.
package incidents

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Directory returns the directory of a stage's faults in the repository at root.
func Directory(root, stage string) string {
	return filepath.Join(root, "observability", "incident", "faults", stage)
}

// Names returns the names of a stage's faults, in alphabetical order.
func Names(root, stage string) ([]string, error) {
	files, err := fs.Glob(os.DirFS(Directory(root, stage)), "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("finding the incidents of %s: %w", stage, err)
	}
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = strings.TrimSuffix(file, ".yaml")
	}
	return names, nil
}
