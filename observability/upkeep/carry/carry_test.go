package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const ten = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n"

// newRepository returns a repository with three stages, committed.
func newRepository(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	write(t, root, "go.work", "go 1.26.0\n\nuse (\n\t./stage1\n\t./stage2\n\t./stage3\n)\n")
	for _, stage := range []string{"stage1", "stage2", "stage3"} {
		write(t, root, stage+"/README.md", "of "+stage+"\n")
		write(t, root, stage+"/go.mod", "module "+stage+"\n\ngo 1.26\n")
		write(t, root, stage+"/same.go", ten)
		write(t, root, stage+"/gone.go", ten)
	}
	write(t, root, "stage1/lesson.go", ten)
	write(t, root, "stage2/lesson.go", strings.Replace(ten, "10\n", "ten\n", 1))
	write(t, root, "stage3/lesson.go", strings.Replace(ten, "10\n", "ten\neleven\n", 1))
	write(t, root, "stage1/first.go", ten) // which later stages do not have
	for _, arguments := range []string{"init --quiet", "add --all", "-c user.name=a -c user.email=a@example.com commit --quiet -m first"} {
		command := exec.Command("git", strings.Fields(arguments)...)
		command.Dir = root
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", arguments, err, output)
		}
	}
	return root
}

func write(t *testing.T, root, name, content string) {
	t.Helper()
	file := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, root, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCarry(t *testing.T) {
	root := newRepository(t)
	changed := strings.Replace(ten, "1\n", "one\n", 1)
	write(t, root, "stage1/README.md", "of nobody else\n")
	write(t, root, "stage1/same.go", changed)
	write(t, root, "stage1/lesson.go", changed)
	write(t, root, "stage1/first.go", changed)
	write(t, root, "stage1/new/new.go", "new\n")
	write(t, root, "stage1/go.mod", "module stage1\n\ngo 1.27\n")
	if err := os.Remove(filepath.Join(root, "stage1/gone.go")); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run(root, "HEAD", []string{"stage1"}, &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for name, want := range map[string]string{
		"stage2/README.md":  "of stage2\n",
		"stage2/same.go":    changed,
		"stage3/same.go":    changed,
		"stage2/lesson.go":  strings.Replace(changed, "10\n", "ten\n", 1),
		"stage3/lesson.go":  strings.Replace(changed, "10\n", "ten\neleven\n", 1),
		"stage3/new/new.go": "new\n",
		"stage3/go.mod":     "module stage3\n\ngo 1.27\n",
	} {
		if got := content(t, root, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"stage2/gone.go", "stage3/gone.go", "stage2/first.go"} {
		if _, err := os.Stat(filepath.Join(root, name)); err == nil {
			t.Errorf("there is %s", name)
		}
	}
	const first = "stage2/first.go: left alone: this stage does not have it\nstage2/go.mod: merged\nstage2/gone.go: removed\n" +
		"stage2/lesson.go: merged\nstage2/new/new.go: copied\nstage2/same.go: copied\nstage3/"
	if !strings.HasPrefix(out.String(), first) {
		t.Errorf("report:\n%swant first:\n%s", &out, first)
	}
	out.Reset()
	if err := run(root, "HEAD", []string{"stage1"}, &out); err != nil || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("the second time: %v\n%s", err, &out)
	}
}

// TestConflict wants a conflict to be reported and to go no further.
func TestConflict(t *testing.T) {
	root := newRepository(t)
	write(t, root, "stage1/lesson.go", strings.Replace(ten, "10\n", "zehn\n", 1))
	write(t, root, "stage1/new.go", "a\n")
	write(t, root, "stage2/new.go", "b\n")
	before := content(t, root, "stage3/lesson.go")
	var out strings.Builder
	if err := run(root, "HEAD", []string{"stage1"}, &out); err == nil {
		t.Error("no error")
	}
	want := "stage2/lesson.go: CONFLICT: see the markers\nstage2/new.go: CONFLICT: this stage has another file of this name\n"
	if out.String() != want {
		t.Errorf("report:\n%swant:\n%s", &out, want)
	}
	if !strings.Contains(content(t, root, "stage2/lesson.go"), "<<<<<<<") || content(t, root, "stage3/lesson.go") != before {
		t.Errorf("stage2:\n%sstage3:\n%s", content(t, root, "stage2/lesson.go"), content(t, root, "stage3/lesson.go"))
	}
}

func TestNames(t *testing.T) {
	root := newRepository(t)
	for _, arguments := range [][]string{nil, {"stage9"}, {"stage1", "stage2"}} {
		if err := run(root, "HEAD", arguments, new(strings.Builder)); err == nil || !strings.HasSuffix(err.Error(), " one of stage1, stage2, stage3") && !strings.HasSuffix(err.Error(), " one stage: stage1, stage2, stage3") {
			t.Errorf("%v: %v", arguments, err)
		}
	}
}
