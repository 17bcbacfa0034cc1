// Command dashboards writes the Grafana dashboards of all stages as JSON files, with which Grafana is provisioned.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"example.com/dice/observability/internal/stages"
)

//go:generate go run . ../../..

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 1 {
		return errors.New("want one argument, the root of the repository")
	}
	files, err := generate(arguments[0])
	if err != nil {
		return err
	}
	for path, content := range files {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the files of all dashboards, by path.
func generate(root string) (map[string]string, error) {
	all, err := stages.All(root)
	if err != nil {
		return nil, err
	}
	files := make(map[string]string)
	for _, stage := range all {
		if err := encode(files, filepath.Join(root, stage.Name, "dashboards"), boards(stage.Number)); err != nil {
			return nil, err
		}
	}
	return files, encode(files, filepath.Join(root, "observability", "grafana", "dashboards"), []board{pipeline()})
}

// boards returns the dashboards of a stage, except the one that all stages share.
func boards(stage int) []board {
	var all []board
	for _, b := range []struct {
		since int // the first stage that has it
		new   func(stage int) board
	}{
		{1, roll},
		{2, journey},
		{3, dependencies},
		{4, batches},
		{5, database},
		{6, usage},
	} {
		if stage >= b.since {
			all = append(all, b.new(stage))
		}
	}
	return all
}

// encode adds the files of the boards in a directory.
func encode(files map[string]string, directory string, boards []board) error {
	readable := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&") // encoding/json escapes these for HTML
	for _, b := range boards {
		built, err := b.build()
		if err != nil {
			return fmt.Errorf("dashboard %s: %w", b.title, err)
		}
		var content bytes.Buffer
		encoder := json.NewEncoder(&content)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(built); err != nil {
			return fmt.Errorf("dashboard %s: %w", b.title, err)
		}
		files[filepath.Join(directory, b.uid+".json")] = readable.Replace(content.String())
	}
	return nil
}
