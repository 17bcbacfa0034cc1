package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"example.com/dice/observability/internal/compose"
)

// checkCompiler checks before the long build that there is a C compiler, which SQLite needs.
func checkCompiler(ctx context.Context, stage *compose.Stage) error {
	module, err := os.ReadFile(filepath.Join(stage.Dir, "go.mod"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !bytes.Contains(module, []byte("/go-sqlite3 ")) {
		return nil
	}
	output, err := exec.CommandContext(ctx, "go", "env", "CC", "CGO_ENABLED").Output()
	if err != nil {
		return fmt.Errorf("finding the C compiler: %w", err)
	}
	compiler, enabled, _ := strings.Cut(strings.TrimSpace(string(output)), "\n")
	program, _, _ := strings.Cut(compiler, " ")
	if _, err := exec.LookPath(program); err != nil || enabled != "1" {
		return fmt.Errorf("%s needs a C compiler (gcc or clang) and CGO_ENABLED=1 for SQLite: install one, or use Docker", stage.Name)
	}
	return nil
}

// build builds a stage's services, in the directory into unless the stage keeps its programs. Its error contains a [ServiceError] for each
// service that does not compile.
func build(ctx context.Context, stage *compose.Stage, into string) error {
	var own []string // the stage's packages, built together so that nothing is compiled twice
	for _, service := range stage.Services {
		if isOwn(stage, service) {
			own = append(own, "./"+service.Name)
		}
	}
	if len(own) > 0 && stage.Programs == "" {
		_ = goBuild(ctx, stage, stage.Dir, into, "", own...) // what was not built is built again below, one by one, to see whose error it is
	}
	var errs []error
	for _, service := range stage.Services {
		err := buildOne(ctx, stage, service, executable(stage, into, service))
		_, code := errors.AsType[compileError](err)
		switch {
		case code:
			errs = append(errs, &ServiceError{service.Name, fmt.Errorf("building %s: %w", service.Name, err)})
		case err != nil:
			return fmt.Errorf("building %s: %w", service.Name, err)
		}
	}
	return errors.Join(errs...)
}

// buildOne builds a service into a file, unless the file is there already. If the stage keeps its programs, the go command finds out
// whether the file is the program of the current code.
func buildOne(ctx context.Context, stage *compose.Stage, service compose.Service, file string) error {
	if _, err := os.Stat(file); err == nil && stage.Programs == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("creating a directory: %w", err)
	}
	directory, name := service.Source, "."
	if isOwn(stage, service) {
		directory, name = stage.Dir, "./"+service.Name
	}
	if err := goBuild(ctx, stage, directory, filepath.Dir(file), filepath.Base(file), name); err != nil {
		return err
	}
	if isArchive(file) { // go build does not complain
		return compileError("its package is not main")
	}
	return nil
}

// isArchive reports whether a file is a compiled package and not a program.
func isArchive(file string) bool {
	opened, err := os.Open(file)
	if err != nil {
		return false
	}
	defer opened.Close()
	var magic [8]byte
	_, err = io.ReadFull(opened, magic[:])
	return err == nil && string(magic[:]) == "!<arch>\n"
}

// executable returns the file of a service's program, which is in a directory unless the stage keeps its programs.
func executable(stage *compose.Stage, directory string, service compose.Service) string {
	if stage.Programs != "" {
		directory = filepath.Join(stage.Programs, strings.ReplaceAll(service.Source, ":", "")) // as in C:
	}
	name := service.Name
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(directory, name)
}

func isOwn(stage *compose.Stage, service compose.Service) bool {
	return service.Source == filepath.Join(stage.Dir, service.Name)
}

// goBuild builds packages into a directory, or one package into a file there if name is not empty. It builds without debug information,
// because that takes time to link, and without the commit, because git refuses to tell it if another user owns the repository.
func goBuild(ctx context.Context, stage *compose.Stage, directory, into, name string, packages ...string) error {
	arguments := append([]string{"build", "-buildvcs=false", "-ldflags=-s -w", "-o", filepath.Join(into, name)}, stage.BuildFlags...)
	command := exec.CommandContext(ctx, "go", append(arguments, packages...)...)
	command.Dir = directory
	if os.Getenv("GOTMPDIR") == "" { // the caller removes what go leaves there when ctx ends
		command.Env = append(os.Environ(), "GOTMPDIR="+into)
	}
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) } // its compilers must not go on
	command.WaitDelay = 10 * time.Second
	text, err := command.CombinedOutput()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		return nil
	case isCode(string(text)):
		return compileError(text)
	}
	return fmt.Errorf("%w: %s", err, firstLine(string(text)))
}

// compileError is the output of a compiler that does not accept the code.
type compileError string

func (e compileError) Error() string { return strings.TrimSpace(string(e)) }

var (
	code    = regexp.MustCompile(`^(.+\.go:\d+|package |found packages |no Go files |stat .*: directory not found|.*function main is undeclared|go: .*\bgo\.(mod|work)\b)`)
	outside = regexp.MustCompile(`@v\d|https?://|GOPROXY|permission denied|read-only file system|no space left|input/output error|too many open files|killed|\(running go`)
)

// isCode reports whether the output of go build is about the code, and not about a disk, a download or the compiler itself.
func isCode(output string) bool {
	for line := range strings.Lines(output) {
		if code.MatchString(line) && !outside.MatchString(line) {
			return true
		}
	}
	return false
}

// firstLine returns the first line that says what went wrong.
func firstLine(output string) string {
	for line := range strings.Lines(output) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "go: downloading ") {
			return line
		}
	}
	return "no output"
}
