// Command carry applies the uncommitted changes of one stage to all later stages. It merges file by file, from each stage to
// the next, and reports what it did. It skips READMEs, pictures and labs, because each stage has its own.
//
//	go run ./observability/upkeep/carry stage2-frontend
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"example.com/dice/observability/internal/stages"
)

func main() {
	base := flag.String("base", "HEAD", "the commit that the changes are relative to")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: go run ./observability/upkeep/carry [-base COMMIT] STAGE")
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := run(".", *base, flag.Args(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "carry:", err)
		os.Exit(1)
	}
}

func run(root, base string, arguments []string, out io.Writer) error {
	first, err := stages.FindOne(root, arguments)
	if err != nil {
		return err
	}
	names, err := stages.Names(root)
	if err != nil {
		return err
	}
	r := repository{root, base}
	conflicts := make(map[string]bool) // files that are not carried any further
	names = names[first.Number-1:]
	for i := range len(names) - 1 {
		files, err := r.changed(names[i])
		if err != nil {
			return err
		}
		for _, file := range files {
			if conflicts[file] {
				continue
			}
			what, err := r.carry(file, names[i], names[i+1])
			if err != nil {
				return err
			}
			if what != "" {
				fmt.Fprintf(out, "%s: %s\n", filepath.Join(names[i+1], file), what)
			}
			conflicts[file] = strings.HasPrefix(what, conflict)
		}
	}
	if slices.Contains(slices.Collect(maps.Values(conflicts)), true) {
		return errors.New("some files have conflicts: resolve them, then run carry for the stages that have them")
	}
	return nil
}

// repository is the working tree, and the commit that its changes are relative to.
type repository struct{ root, base string }

// own matches the files that differ in each stage, and are not carried.
var own = regexp.MustCompile(`^(README\.md|docs/.*|labs/.*|plain/.*)$`)

// changed returns the files of a stage, relative to it, that were changed, added or removed.
func (r repository) changed(stage string) ([]string, error) {
	tracked, err := r.git("diff", "--name-only", "--no-renames", "-z", r.base, "--", stage)
	if err != nil {
		return nil, err
	}
	added, err := r.git("ls-files", "--others", "--exclude-standard", "-z", "--", stage)
	if err != nil {
		return nil, err
	}
	var files []string
	for name := range strings.SplitSeq(tracked+added, "\x00") {
		if file, ok := strings.CutPrefix(name, stage+"/"); ok && !own.MatchString(file) {
			files = append(files, file)
		}
	}
	slices.Sort(files)
	return files, nil
}

const conflict = "CONFLICT"

// carry applies the change of a file in one stage to the next, and returns what it did, or "" if there was nothing to do.
func (r repository) carry(file, from, to string) (string, error) {
	source, target := filepath.Join(r.root, from, file), filepath.Join(r.root, to, file)
	before, existed := []byte(nil), true
	if content, err := r.git("show", r.base+":"+from+"/"+file); err == nil {
		before = []byte(content)
	} else {
		existed = false
	}
	now, exists, err := read(source)
	if err != nil {
		return "", err
	}
	there, known, err := read(target)
	if err != nil {
		return "", err
	}
	unchanged := existed == known && bytes.Equal(before, there) // since both stages had the same file
	switch {
	case exists == known && bytes.Equal(now, there):
		return "", nil
	case unchanged && exists:
		return "copied", copyFile(source, target)
	case unchanged:
		return "removed", os.Remove(target)
	case !known:
		return "left alone: this stage does not have it", nil
	case !existed:
		return conflict + ": this stage has another file of this name", nil
	case !exists:
		return conflict + ": removed before, but not the same here", nil
	}
	what, err := merge(target, before, source)
	if merged, _, readErr := read(target); readErr == nil && what == "merged" && bytes.Equal(merged, there) {
		return "", nil // the next stage already has the change
	}
	return what, err
}

// merge merges the difference between before and a file into a target.
func merge(target string, before []byte, file string) (string, error) {
	base, err := os.CreateTemp("", "carry-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.Remove(base.Name()) }()
	_, err = base.Write(before)
	if err := errors.Join(err, base.Close()); err != nil {
		return "", err
	}
	command := exec.Command("git", "merge-file", "--diff3", target, base.Name(), file)
	err = command.Run()
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return "merged", nil
	case ok && exit.ExitCode() < 128:
		return conflict + ": see the markers", nil
	case ok: // not text
		return conflict + ": cannot be merged", nil
	}
	return "", fmt.Errorf("git merge-file: %w", err)
}

// read returns the content of a file, and whether the file exists.
func read(file string) ([]byte, bool, error) {
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	return content, err == nil, err
}

// copyFile copies a file with its permissions.
func copyFile(source, target string) error {
	content, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	return os.WriteFile(target, content, info.Mode())
}

func (r repository) git(arguments ...string) (string, error) {
	command := exec.Command("git", arguments...)
	command.Dir = r.root
	output, err := command.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	if err != nil {
		return "", fmt.Errorf("git %s: %w", arguments[0], err)
	}
	return string(output), nil
}
