package docs

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/dice/observability/internal/readme"
	"example.com/dice/observability/upkeep/internal/shell"
)

// TestLabs runs the commands of the READMEs that put a fault in and remove it. They must work in a clone, in a copy without a
// repository, and in a copy within another repository, where git apply skips the patches that git diff makes, without an error.
func TestLabs(t *testing.T) {
	for where, prepare := range map[string]string{
		"clone":              "git init --quiet dice",
		"no repository":      "true",
		"another repository": "git init --quiet .",
	} {
		t.Run(where, func(t *testing.T) {
			directory := t.TempDir()
			t.Setenv("GIT_CEILING_DIRECTORIES", directory)
			shell.Run(t, directory, "mkdir dice && "+prepare)
			for _, name := range append(stageNames(t), "observability/sampling") {
				from := name
				if name == "observability/sampling" {
					from = stageNames(t)[0] // where its README says to run the commands
				}
				copied := filepath.Join(directory, "dice")
				for _, name := range []string{name, from} {
					if err := os.RemoveAll(filepath.Join(copied, name)); err != nil {
						t.Fatal(err)
					}
					if err := os.CopyFS(filepath.Join(copied, name), os.DirFS(filepath.Join(root, name))); err != nil {
						t.Fatal(err)
					}
				}
				checkLabs(t, filepath.Join(root, name), filepath.Join(copied, name), filepath.Join(copied, from))
			}
		})
	}
}

// checkLabs runs the commands of a README in turn. Each patch must change the copy, and its reverse must restore it.
func checkLabs(t *testing.T, original, copied, from string) {
	t.Helper()
	text, err := readme.Read(filepath.Join(original, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	want := contents(t, original)
	for _, command := range text.Commands() {
		if !strings.HasPrefix(command, "git ") || !strings.Contains(command, " apply ") {
			continue
		}
		shell.Run(t, from, command)
		if restored := maps.Equal(contents(t, copied), want); restored != strings.Contains(command, "--reverse") {
			t.Errorf("after %q in %s, the files are as they were: %t", command, copied, restored)
		}
	}
}

// contents returns the content of all files of a directory.
func contents(t *testing.T, directory string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(directory, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, directory)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
