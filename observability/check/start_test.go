package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/stages"
)

// TestStartRefuses requires that a directory in which the code could not work is refused before anything is written.
func TestStartRefuses(t *testing.T) {
	s := learner(t, "stage2-frontend")
	occupied := filepath.Base(s.directory)
	before := entries(t, classroom)
	for directory, want := range map[string]string{
		occupied:                         "is not empty",
		occupied + "/":                   "is not empty",
		"work/fe":                        "must be in a directory next to the stages",
		"my-work/fe":                     "must be in a directory next to the stages",
		"stage2-mine":                    "must be in a directory next to the stages",
		"frontend":                       "must be in a directory next to the stages",
		"My-Frontend":                    "must be in a directory next to the stages",
		"my frontend":                    "must be in a directory next to the stages",
		"my-fröntend":                    "must be in a directory next to the stages",
		"my%20x":                         "must be in a directory next to the stages",
		"stage2-frontend/my-frontend":    "must be in a directory next to the stages",
		"../my-frontend":                 "must be in a directory next to the stages",
		"go.work":                        "must be in a directory next to the stages",
		".":                              "must be in a directory next to the stages",
		filepath.Join(t.TempDir(), "my"): "must be in a directory next to the stages",
	} {
		if !filepath.IsAbs(directory) {
			directory = filepath.Join(classroom, directory)
		}
		c, err := newCode(s.stage, directory)
		if err != nil {
			t.Fatal(err)
		}
		if err := start(io.Discard, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", directory, err, want)
		}
	}
	if after := entries(t, classroom); !slices.Equal(after, before) {
		t.Errorf("a refusal left something behind: %q, before: %q", after, before)
	}
}

func entries(t *testing.T, directory string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(directory, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestStart requires that docker compose, the go command and this program find the code that start creates, in all stages.
func TestStart(t *testing.T) {
	names, err := stages.Names(repository)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		s := learner(t, name)
		content, err := os.ReadFile(filepath.Join(s.directory, ".env"))
		if err != nil {
			t.Fatal(err)
		}
		if want := "\nDICE_STAGE=" + filepath.Base(s.directory) + "\n"; !strings.Contains(string(content), want) {
			t.Errorf("%s: .env is %q, want %q", name, content, want)
		}
		stage, err := compose.LoadDirectory(t.Context(), s.directory, name, compose.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		for _, service := range stage.Services {
			if !holdsGo(service.Source) {
				t.Errorf("%s: %s has no Go files", name, service.Source)
			}
		}
		if _, err := s.load(t.Context()); err != nil {
			t.Error(err)
		}
		list := exec.CommandContext(t.Context(), "go", "list", "./...", "../shared/telemetry", "../observability/check")
		list.Dir = s.directory
		if output, err := list.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", name, err, output)
		}
	}
}

// TestStartComments requires that the code which a learner starts with does not mention directories of the stage.
func TestStartComments(t *testing.T) {
	s := learner(t, "stage1-roll")
	files, err := filepath.Glob(filepath.Join(s.directory, "roll", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"plain", "../roll"} {
			if bytes.Contains(content, []byte(text)) {
				t.Errorf("%s mentions %s", filepath.Base(file), text)
			}
		}
	}
}

// TestNoCode requires that a directory without any code for the stage is an error, and leaves no result.
func TestNoCode(t *testing.T) {
	s := learner(t, "stage1-roll")
	for _, make := range []func(directory string){
		func(string) {},
		func(directory string) { _ = os.MkdirAll(filepath.Join(directory, "roll"), 0o755) },
		func(directory string) {
			_ = write(filepath.Join(directory, "traffic", "main.go"), []byte("package main"))
		},
		func(directory string) {
			_ = os.CopyFS(filepath.Join(directory, "docs"), os.DirFS(filepath.Join(s.directory, "roll")))
		},
	} {
		directory, err := os.MkdirTemp(classroom, "my-")
		if err != nil {
			t.Fatal(err)
		}
		make(directory)
		var out bytes.Buffer
		err = check(t.Context(), &out, code{stage: s.stage, directory: directory})
		if want := "has no code for stage1-roll: a service must be in a directory with its name, such as " + filepath.Base(directory) + "/roll"; err == nil || !strings.Contains(err.Error(), want) || out.Len() > 0 {
			t.Errorf("error %v, output %q, want %s", err, &out, want)
		}
	}
	missing := code{stage: s.stage, directory: filepath.Join(s.stage.Root, "my-nothing")}
	if err := check(t.Context(), io.Discard, missing); err == nil || !strings.Contains(err.Error(), "check start stage1-roll") {
		t.Errorf("error %v, want how to begin", err)
	}
}

// TestOrigin requires that the checklist says whose code it is about.
func TestOrigin(t *testing.T) {
	whole := learner(t, "stage3-die-service")
	part, err := os.MkdirTemp(classroom, "my-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(part, "roll"), os.DirFS(filepath.Join(whole.directory, "roll"))); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		c    code
		want string
	}{
		{whole, "your code in " + whole.name() + ": frontend, roll; the stage's own: traffic"},
		{code{stage: whole.stage, directory: part}, "your code in " + filepath.Base(part) + ": roll; the stage's own: die, frontend, traffic"},
		{code{stage: whole.stage, directory: whole.stage.Directory}, "the stage's own code"},
	} {
		services, err := test.c.load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := services.origin(test.c); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

// TestDirectoryOfStage requires that the stage's own directory is recognized however it is written.
func TestDirectoryOfStage(t *testing.T) {
	stage := stageOf(t, repository, "stage1-roll")
	for _, directory := range []string{"", "../../stage1-roll", "../../stage1-roll/", "../../stage1-roll/.", stage.Directory} {
		c, err := newCode(stage, directory)
		if err != nil || !c.isStage() {
			t.Errorf("%q: %v, %v", directory, c, err)
		}
	}
}

// TestCommandLines requires command lines that work in the working directory.
func TestCommandLines(t *testing.T) {
	stage := stageOf(t, repository, "stage1-roll")
	c := code{stage: stage, directory: filepath.Join(stage.Root, "my-roll")}
	for directory, want := range map[string]string{
		".":             "go run ./observability/check hint stage1-roll my-roll",
		"stage1-roll":   "go run ../observability/check hint stage1-roll ../my-roll",
		"observability": "go run ./check hint stage1-roll ../my-roll",
	} {
		t.Chdir(filepath.Join(stage.Root, directory))
		if got := c.command("hint"); got != want {
			t.Errorf("in %s: %s, want %s", directory, got, want)
		}
	}
}
