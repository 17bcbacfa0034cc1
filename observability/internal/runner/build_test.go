package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/dice/observability/internal/compose"
)

const program = "package main\n\nfunc main() {}\n"

// newStage returns a stage with two services of its own, and one from a directory elsewhere.
func newStage(t *testing.T) *compose.Stage {
	t.Helper()
	t.Setenv("GOWORK", "off")
	dir, elsewhere := filepath.Join(t.TempDir(), "a stage, 100 % ü #1"), t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/stage\n\ngo 1.26\n")
	write(t, filepath.Join(dir, "die", "main.go"), program)
	write(t, filepath.Join(dir, "frontend", "main.go"), program)
	write(t, filepath.Join(elsewhere, "go.mod"), "module example.com/elsewhere\n\ngo 1.26\n")
	write(t, filepath.Join(elsewhere, "main.go"), "package main\n\nfunc main() { panic(\"from elsewhere\") }\n")
	return &compose.Stage{Name: "stage", Dir: dir, Services: []compose.Service{
		{Name: "die", Source: filepath.Join(dir, "die")},
		{Name: "frontend", Source: filepath.Join(dir, "frontend")},
		{Name: "roll", Source: elsewhere},
	}}
}

func TestBuildTakesTheSourceOfAService(t *testing.T) {
	stage := newStage(t)
	r := &Runner{stage: stage, directory: t.TempDir()}
	if err := build(t.Context(), stage, r.directory); err != nil {
		t.Fatal(err)
	}
	for _, service := range stage.Services {
		p, err := r.start(service.Name, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := service.Name + " exited: no output"
		if service.Name == "roll" {
			want = "roll exited: exit status 2: panic: from elsewhere"
		}
		if got := p.Failure(); got.Error() != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
}

// TestBuildKeepsPrograms requires that a kept program is built again only if its code has changed, and never used for other code.
func TestBuildKeepsPrograms(t *testing.T) {
	stage := newStage(t)
	stage.Programs = t.TempDir()
	file := func(i int) string { return executable(stage, "", stage.Services[i]) }
	files := func() (all [3]os.FileInfo) {
		for i := range all {
			info, err := os.Stat(file(i))
			if err != nil {
				t.Fatal(err)
			}
			all[i] = info
		}
		return all
	}
	if err := build(t.Context(), stage, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	first := files()
	write(t, filepath.Join(stage.Dir, "die", "main.go"), "package main\n\nfunc main() { panic(1) }\n")
	if err := build(t.Context(), stage, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	for i, now := range files() {
		if same := os.SameFile(first[i], now); same != (i > 0) {
			t.Errorf("%s: the same program is %t, want only the first one built again", stage.Services[i].Name, same)
		}
	}
	for content, want := range map[string]string{"package die\n": "its package is not main", "package main\n": "function main is undeclared"} {
		write(t, filepath.Join(stage.Dir, "die", "main.go"), content)
		if err := ByService(build(t.Context(), stage, t.TempDir()))["die"]; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// TestBuildBlamesTheService breaks the code of one or two services. What their errors mention must not matter.
func TestBuildBlamesTheService(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string // relative to the stage
		want  map[string]string // errors by service
	}{
		{"undefined", map[string]string{"frontend/x.go": "package main\n\nvar die = roll\n"}, map[string]string{"frontend": "undefined: roll"}},
		{
			"two services", map[string]string{"frontend/x.go": "package main\n\nvar die = roll\n", "die/x.go": "package main\n\nvar x int = \"\"\n"},
			map[string]string{"frontend": "undefined: roll", "die": `cannot use ""`},
		},
		{"syntax", map[string]string{"die/x.go": "package main\n\nfunc {\n"}, map[string]string{"die": "syntax error"}},
		{"not terminated", map[string]string{"die/x.go": "/*"}, map[string]string{"die": "comment not terminated"}},
		{"empty file", map[string]string{"die/x.go": ""}, map[string]string{"die": "expected 'package'"}},
		{"two packages", map[string]string{"die/x.go": "package other\n"}, map[string]string{"die": "found packages"}},
		{"not main", map[string]string{"die/main.go": "package die\n"}, map[string]string{"die": "its package is not main"}},
		{"no main function", map[string]string{"die/main.go": "package main\n"}, map[string]string{"die": "function main is undeclared"}},
		{"no package", map[string]string{"die/x.go": "package main\n\nimport _ \"nope/die\"\n"}, map[string]string{"die": "is not in std"}},
		{"no module", map[string]string{"die/x.go": "package main\n\nimport _ \"example.org/die\"\n"}, map[string]string{"die": "no required module provides"}},
		{"only tests", map[string]string{"die/main.go": "//go:build never\n\n" + program}, map[string]string{"die": "build constraints exclude all Go files"}},
		{"no file to embed", map[string]string{"die/x.go": "package main\n\nimport _ \"embed\"\n\n//go:embed x.txt\nvar x string\n"}, map[string]string{"die": "no matching files"}},
		{"go.mod", map[string]string{"go.mod": "module example.com/stage\n\nrequire nothing\n"}, map[string]string{"die": "go.mod", "frontend": "go.mod"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			stage := newStage(t)
			for name, content := range test.files {
				write(t, filepath.Join(stage.Dir, name), content)
			}
			err := build(t.Context(), stage, t.TempDir())
			got := ByService(err)
			if len(got) != len(test.want) {
				t.Errorf("to blame are %v, want %v: %v", got, test.want, err)
			}
			for service, want := range test.want {
				if got[service] == nil || !strings.Contains(got[service].Error(), want) {
					t.Errorf("the error of %s is %v, want %s", service, got[service], want)
				}
			}
		})
	}
}

// TestBuildBlamesTheEnvironment wants one line, and no service to blame.
func TestBuildBlamesTheEnvironment(t *testing.T) {
	const needsModule = "module example.com/stage\n\ngo 1.26\n\nrequire example.org/x v1.0.0\n"
	tests := []struct{ name, variables, module, want string }{
		{"no temporary directory", "GOTMPDIR=/nowhere", "", "no such file or directory"},
		{"no cache", "GOCACHE=/dev/null", "", "not a directory"},
		{"no network", "GOFLAGS=-mod=mod GONOSUMDB=* GOPROXY=http://127.0.0.1:1", needsModule, "connection refused"},
		{"download refused", "GOFLAGS=-mod=mod GOPROXY=off", needsModule, "module lookup disabled by GOPROXY=off"},
		{"no compiler", "GOROOT=/nowhere", "", "/nowhere"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			stage := newStage(t)
			if test.module != "" {
				write(t, filepath.Join(stage.Dir, "go.mod"), test.module)
				write(t, filepath.Join(stage.Dir, "die", "x.go"), "package main\n\nimport _ \"example.org/x\"\n")
			}
			for _, variable := range strings.Fields(test.variables) {
				name, value, _ := strings.Cut(variable, "=")
				t.Setenv(name, value)
			}
			err := build(t.Context(), stage, t.TempDir())
			if err == nil || len(ByService(err)) > 0 || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want one line with %s, and nobody to blame", err, test.want)
			}
		})
	}
}
