package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/internal/freeport"
)

// fakeDocker writes its arguments and variables to a file, and fails if the test says so.
const fakeDocker = `#!/bin/sh
echo "$* LATENCY=$LATENCY $(grep -c TryLock die/handler.go)" >>../docker.log
[ ! -f ../docker.fails ]
`

// repositories are the kinds of directories that learners work in. Each has commands that make one of a directory with the files.
var repositories = map[string][]string{
	"clone":                     {"git init --quiet", "git add .", "git -c user.name=x -c user.email=x commit --quiet --message x"},
	"from a ZIP":                nil,
	"inside another repository": {"git -C .. init --quiet"},
	"ignored by another":        {"git -C .. init --quiet", "cp ../dice/.dockerignore ../.gitignore"},
}

// repository returns a new repository with a copy of a stage, and puts a fake docker first in PATH.
func repository(t *testing.T, stage, kind string) string {
	t.Helper()
	directory := filepath.Join(t.TempDir(), "ä #1 %", "dice")
	if err := os.CopyFS(filepath.Join(directory, stage), os.DirFS(filepath.Join(root, stage))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, ".dockerignore"), []byte("*\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range repositories[kind] {
		words := strings.Fields(command)
		run := exec.Command(words[0], words[1:]...)
		run.Dir = directory
		if output, err := run.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, output)
		}
	}
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte(fakeDocker), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return directory
}

func TestDocker(t *testing.T) {
	const stage, name = "stage3-die-service", "retry-storm"
	f, err := load(root, stage, name)
	if err != nil {
		t.Fatal(err)
	}
	const faulty, mended = "compose up --build --detach LATENCY=20ms 1\n", "compose up --build --detach LATENCY= 0\n"
	tests := map[string]struct {
		kind             string
		interrupt, fails bool
		want             string // the log of the fake docker
	}{
		"played":      {kind: "clone", want: faulty + mended},
		"interrupted": {kind: "clone", interrupt: true, want: faulty + "compose down LATENCY= 0\n"},
		"fails":       {kind: "clone", fails: true, want: faulty + mended},
	}
	for kind := range repositories {
		test := tests["played"]
		test.kind = kind
		tests[kind] = test
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			directory := repository(t, stage, test.kind)
			t.Setenv("GIT_DIR", t.TempDir()) // as in a hook
			if test.fails {
				if err := os.WriteFile(filepath.Join(directory, "docker.fails"), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			asked := 0
			err := withDocker(ctx, directory, f, io.Discard, func() error {
				asked++
				if test.interrupt {
					interrupt()
				}
				return nil
			})
			if (err != nil) != test.fails || (asked == 0) != test.fails {
				t.Errorf("error %v, asked %d times", err, asked)
			}
			if got := string(read(t, directory, "docker.log")); got != test.want {
				t.Errorf("docker was asked for\n%swant\n%s", got, test.want)
			}
			for _, file := range f.files() {
				if !bytes.Equal(read(t, directory, file), read(t, root, file)) {
					t.Errorf("%s is not as it was", file)
				}
			}
		})
	}
}

func TestDockerRefusesChangedFiles(t *testing.T) {
	f, err := load(root, "stage3-die-service", "retry-storm")
	if err != nil {
		t.Fatal(err)
	}
	directory := repository(t, f.Stage, "clone")
	own := []byte("package main // mine\n")
	if err := os.WriteFile(filepath.Join(directory, f.files()[0]), own, 0o600); err != nil {
		t.Fatal(err)
	}
	err = withDocker(t.Context(), directory, f, io.Discard, func() error { return errors.New("asked") })
	if err == nil || !strings.Contains(err.Error(), "commit or stash them first") {
		t.Errorf("error %v", err)
	}
	if got := read(t, directory, f.files()[0]); !bytes.Equal(got, own) {
		t.Errorf("the file is now %s", got)
	}
}

// TestDockerWhenTheFaultDoesNotFit requires that files which the user has changed stay as they are, also where git does not know them.
func TestDockerWhenTheFaultDoesNotFit(t *testing.T) {
	f, err := load(root, "stage3-die-service", "retry-storm")
	if err != nil {
		t.Fatal(err)
	}
	directory := repository(t, f.Stage, "from a ZIP")
	own := []byte("package main // mine\n")
	last := f.files()[len(f.files())-1]
	if err := os.WriteFile(filepath.Join(directory, last), own, 0o600); err != nil {
		t.Fatal(err)
	}
	err = withDocker(t.Context(), directory, f, io.Discard, func() error { return errors.New("asked") })
	if err == nil || !strings.Contains(err.Error(), "must be as they were cloned") || strings.Contains(err.Error(), "asked") {
		t.Errorf("error %v", err)
	}
	for _, file := range f.files() {
		want := read(t, root, file)
		if file == last {
			want = own
		}
		if !bytes.Equal(read(t, directory, file), want) {
			t.Errorf("%s has changed", file)
		}
	}
}

// TestUnchanged requires an error if git takes a patch and changes nothing, as it does in a directory of another repository.
func TestUnchanged(t *testing.T) {
	f, err := load(root, "stage3-die-service", "retry-storm")
	if err != nil {
		t.Fatal(err)
	}
	directory := repository(t, f.Stage, "clone")
	if err := os.WriteFile(filepath.Join(strings.Split(os.Getenv("PATH"), string(os.PathListSeparator))[0], "git"), []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := f.apply(t.Context(), directory); err == nil || !strings.Contains(err.Error(), "git left "+f.files()[0]+" as it was") {
		t.Errorf("error %v", err)
	}
}

const compiling = "compiling" // is no step of its own; the compiler's directory tells

// endWithFile calls end when a file with a name like this exists.
func endWithFile(ctx context.Context, end func(), pattern string) {
	for ctx.Err() == nil {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			end()
		}
		time.Sleep(time.Millisecond)
	}
}

// TestNothingIsLeftBehind requires that a run without Docker removes its directories, however it ends.
func TestNothingIsLeftBehind(t *testing.T) {
	f, err := load(root, "stage1-roll", "empty-panel")
	if err != nil {
		t.Fatal(err)
	}
	misfit := f
	misfit.patch = bytes.Replace(f.patch, []byte("-\tdefer span.End()"), []byte("-\tdefer span.Finish()"), 1)
	for name, test := range map[string]struct {
		fault  fault
		ending string // the step at which the user presses Ctrl-C
	}{
		"refused":               {misfit, ""},
		"ended while building":  {f, "building"},
		"ended while compiling": {f, compiling},
		"ended while starting":  {f, "starting roll"},
		"ended while measuring": {f, "traffic"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.ending != "" && os.Getenv("THOROUGH") == "" {
				t.Skip("make check runs this: it builds a stage")
			}
			temporary := t.TempDir()
			t.Setenv("TMPDIR", temporary)
			ctx, end := context.WithCancel(t.Context())
			defer end()
			_, err := record(ctx, root, test.fault, freeport.Variables(), func(doing string) {
				switch {
				case test.ending == compiling && strings.HasPrefix(doing, "building"):
					go endWithFile(ctx, end, filepath.Join(temporary, "dice-*", "go-build*"))
				case test.ending != "" && strings.HasPrefix(doing, test.ending):
					end()
				}
			})
			left, globErr := filepath.Glob(filepath.Join(temporary, "*"))
			if err == nil || globErr != nil || len(left) > 0 {
				t.Errorf("error %v, left behind: %q", err, left)
			}
		})
	}
}
