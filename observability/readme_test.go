package observability_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/internal/readme"
)

// readmes returns the README of the root and those of all stages, by their directory.
func readmes(t *testing.T) map[string]readme.Readme {
	t.Helper()
	all := make(map[string]readme.Readme)
	for _, directory := range append(stages(t), ".") {
		got, err := readme.Read(filepath.Join(root, directory, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		all[directory] = got
	}
	return all
}

func TestReadmeLinks(t *testing.T) {
	for directory, text := range readmes(t) {
		for _, link := range text.Links {
			if strings.Contains(link, "://") {
				continue
			}
			file, _, _ := strings.Cut(link, "#")
			if _, err := os.Stat(filepath.Join(root, directory, file)); err != nil {
				t.Errorf("README of %s: %v", directory, err)
			}
		}
	}
}

// TestReadmeExcerpts wants each excerpt to be in the file that it says it is from, letter by letter.
func TestReadmeExcerpts(t *testing.T) {
	for directory, text := range readmes(t) {
		for _, block := range text.Of("go", "yaml") {
			if block.Argument == "" && directory == "." {
				continue // an example
			}
			content, err := os.ReadFile(filepath.Join(root, directory, block.Argument))
			if err != nil {
				t.Errorf("README of %s: %v", directory, err)
				continue
			}
			if !strings.Contains(string(content), block.Text) {
				t.Errorf("README of %s: this is not in %s:\n%s", directory, block.Argument, block.Text)
			}
		}
	}
}

func TestReadmeQueries(t *testing.T) {
	for _, name := range stages(t) {
		text := readmes(t)[name]
		series := declaredSeries(t, name)
		queries := 0
		for _, block := range text.Of("promql", "logql", "traceql") {
			if block.Argument == "" {
				queries++
			}
			if block.Language == "promql" { // the engines parse the others: see e2e
				checkMetricsAndLabels(t, block.Text, series)
			}
		}
		if queries < 12 {
			t.Errorf("%s: %d questions are asked of the data, want 12", name, queries)
		}
	}
}

// TestReadmeSaysWhatChanged wants a table of all files that differ, and of no other. In the first stage that is
// the difference between the plain service and the instrumented one.
func TestReadmeSaysWhatChanged(t *testing.T) {
	names := stages(t)
	for i, name := range names {
		before, after := filepath.Join(root, name, "plain"), filepath.Join(root, name, "roll")
		if i > 0 {
			before, after = filepath.Join(root, names[i-1]), filepath.Join(root, name)
		}
		want := changedFiles(t, before, after)
		if tables := readmes(t)[name].Tables; !slices.ContainsFunc(tables, func(cells []string) bool {
			return slices.Equal(slices.Sorted(slices.Values(cells)), want)
		}) {
			t.Errorf("%s: no table lists what changed: %v", name, want)
		}
	}
}

// changedFiles returns the files of the second directory that the first has not, or has with other content.
func changedFiles(t *testing.T, before, after string) []string {
	t.Helper()
	var changed []string
	err := filepath.WalkDir(after, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(after, path)
		if err != nil {
			return err
		}
		is, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if was, err := os.ReadFile(filepath.Join(before, name)); err != nil || string(was) != string(is) {
			changed = append(changed, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(changed)
	return changed
}
