package main

import (
	"io/fs"
	"os"
	"path/filepath"
)

// copyTree copies the files below a directory that have a property.
func copyTree(from, to string, has func(name string) bool) error {
	return fs.WalkDir(os.DirFS(from), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !has(name) {
			return err
		}
		content, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		return write(filepath.Join(to, name), content)
	})
}

// write writes a file, and creates its directory.
func write(file string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o644)
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

func holdsGo(directory string) bool {
	files, err := filepath.Glob(filepath.Join(directory, "*.go"))
	return err == nil && len(files) > 0
}
