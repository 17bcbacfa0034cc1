package stages

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// repository returns a repository with two stages, and with a learner's directory that looks like a third.
func repository(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, directory := range []string{"stage1-roll", "stage2-frontend", "stage2-mine"} {
		if err := os.MkdirAll(filepath.Join(root, directory, "roll"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(root, "go.work"), "go 1.26.0\n\nuse (\n\t./shared\n\t./stage1-roll // the first\n\t./stage2-frontend\n)\n")
	write(t, filepath.Join(root, "stage2-mine", "go.work"), "go 1.26.0\n\nuse (\n\t.\n\t../shared\n)\n")
	return root
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestAll(t *testing.T) {
	root := repository(t)
	got, err := All(root)
	want := []Stage{
		{"stage1-roll", 1, "", root, filepath.Join(root, "stage1-roll")},
		{"stage2-frontend", 2, "stage1-roll", root, filepath.Join(root, "stage2-frontend")},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}

func TestFind(t *testing.T) {
	root := repository(t)
	t.Chdir(root)
	for _, argument := range []string{"stage1-roll", "stage1-roll/", "./stage1-roll", "./stage1-roll/", filepath.Join(root, "stage1-roll")} {
		if got, err := Find(".", argument); err != nil || got.Name != "stage1-roll" {
			t.Errorf("%s: %v, %v", argument, got, err)
		}
	}
	for _, argument := range []string{"", "stage1", "stage2-mine", "shared", "stage1-roll/roll", ".", "/nowhere/stage1-roll"} {
		if got, err := Find(".", argument); err == nil {
			t.Errorf("%q is taken for %v", argument, got)
		}
	}
	t.Chdir(filepath.Join(root, "stage2-frontend"))
	for argument, want := range map[string]string{".": "stage2-frontend", "../stage1-roll": "stage1-roll", "stage1-roll": "stage1-roll"} {
		if got, err := Find(root, argument); err != nil || got.Name != want {
			t.Errorf("%s in a stage: %v, %v", argument, got, err)
		}
	}
}

func TestRoot(t *testing.T) {
	root := repository(t)
	for _, directory := range []string{".", "stage1-roll/roll", "stage2-mine", "stage2-mine/roll"} {
		t.Chdir(filepath.Join(root, directory))
		if got, err := Root(); err != nil || !isSame(got, root) {
			t.Errorf("in %s: %s, %v", directory, got, err)
		}
	}
	t.Chdir(t.TempDir())
	if got, err := Root(); err == nil {
		t.Errorf("outside of the repository: %s", got)
	}
}
