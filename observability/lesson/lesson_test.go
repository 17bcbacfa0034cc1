package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/internal/lesson"
	"example.com/dice/observability/internal/readme"
	"example.com/dice/observability/internal/stages"
)

const root = "../.."

func all(t *testing.T) []stages.Stage {
	t.Helper()
	got, err := stages.All(root)
	if err != nil || len(got) != 6 {
		t.Fatalf("stages %v, %v", got, err)
	}
	return got
}

// TestLessonMakesTheStage applies what is printed to the stage before, and wants the stage, file by file, with git and
// without.
func TestLessonMakesTheStage(t *testing.T) {
	for _, stage := range all(t) {
		s, err := lesson.Find(stage, true)
		if err != nil {
			t.Fatal(err)
		}
		for how, d := range map[string]lesson.Differ{"git": lesson.NewDiffer(), "no git": {}} {
			t.Run(stage.Name+" "+how, func(t *testing.T) {
				if how == "git" && d.Git == "" {
					t.Skip("git is not installed")
				}
				var out bytes.Buffer
				if err := show(&out, s, d); err != nil {
					t.Fatal(err)
				}
				printed := strings.Split(out.String(), "\n── ")[1:]
				if len(printed) != len(s.Files) {
					t.Fatalf("%d files are shown, want %d", len(printed), len(s.Files))
				}
				for i, f := range s.Files {
					heading, hunks, _ := strings.Cut(printed[i], "\n")
					want := f.Name + ": " + f.News
					switch {
					case f.Before == "":
						want = f.Name + " (new): " + f.News
					case f.After == "":
						want = f.Name + " (gone): " + f.News
					}
					if want = strings.TrimSuffix(want, ": "); heading != want { // tests have no line in the README
						t.Errorf("heading %q, want %q", heading, want)
					}
					if got, want := apply(t, content(t, f.Before), hunks), content(t, f.After); got != want {
						t.Errorf("%s with its difference is not %s:\n%s", f.Before, f.After, got)
					}
				}
			})
		}
	}
}

func content(t *testing.T, file string) string {
	t.Helper()
	if file == "" {
		return ""
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var hunkHeader = regexp.MustCompile(`^@@ -(\d+)(,(\d+))? `)

// apply applies hunks to a text.
func apply(t *testing.T, text, hunks string) string {
	t.Helper()
	old := strings.SplitAfter(text, "\n")
	var out strings.Builder
	next := 0 // line of old that is not copied yet
	for line := range strings.Lines(hunks) {
		switch line[0] {
		case '@':
			match := hunkHeader.FindStringSubmatch(line)
			if match == nil {
				t.Fatalf("not the header of a hunk: %s", line)
			}
			var start int
			if _, err := fmt.Sscan(match[1], &start); err != nil {
				t.Fatal(err)
			}
			if match[3] != "0" { // a hunk without old lines names the line before it
				start--
			}
			for ; next < start; next++ {
				out.WriteString(old[next])
			}
		case '+':
			out.WriteString(line[1:])
		case ' ':
			out.WriteString(line[1:])
			next++
		case '-':
			next++
		case '\n': // between two files
		default:
			t.Fatalf("not a line of a difference: %q", line)
		}
	}
	return out.String() + strings.Join(old[next:], "")
}

// TestLessonIsComplete compares the lesson with all files of the two stages. None is left out but those that are no lesson.
func TestLessonIsComplete(t *testing.T) {
	noLesson := regexp.MustCompile(`(^|/)(README\.md|go\.sum|telemetry\.yaml|\.env|dice\.db.*|[^/]*_test\.go)$|^(dashboards|docs|labs|plain)/|(^|/)testdata/`)
	for _, stage := range all(t) {
		s, err := lesson.Find(stage, false)
		if err != nil {
			t.Fatal(err)
		}
		was, is := everything(t, filepath.Join(root, s.Before)), everything(t, filepath.Join(root, s.After))
		all := maps.Clone(was)
		maps.Copy(all, is)
		var want []string
		for _, file := range slices.Sorted(maps.Keys(all)) {
			old, existed := was[file]
			if now, exists := is[file]; !noLesson.MatchString(file) && (existed != exists || old != now) {
				want = append(want, file)
			}
		}
		var got []string
		for _, f := range s.Files {
			got = append(got, f.Name)
			if f.News == "" {
				t.Errorf("the README of %s does not say what is new in %s", stage.Name, f.Name)
			}
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("the lesson of %s has %v, want %v", stage.Name, got, want)
		}
	}
}

// TestReadmeTeachesFromTheLesson wants each README to give the command, how long the lesson is, and a table of its files in
// the order in which they are printed.
func TestReadmeTeachesFromTheLesson(t *testing.T) {
	for _, stage := range all(t) {
		s, err := lesson.Find(stage, false)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(root, stage.Name, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := readme.Read(filepath.Join(root, stage.Name, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		lines, files := 0, []string(nil)
		for _, f := range s.Files {
			hunks, err := lesson.NewDiffer().Hunks(f.Before, f.After)
			if err != nil {
				t.Fatal(err)
			}
			added, removed := count(hunks)
			lines += added + removed
			files = append(files, f.Name)
		}
		for _, want := range []string{"go run ./observability/lesson " + stage.Name + "\n", fmt.Sprintf("%d changed lines in %d files", lines, len(files))} {
			if !strings.Contains(string(text), want) {
				t.Errorf("the README of %s does not say %q", stage.Name, want)
			}
		}
		if !slices.ContainsFunc(parsed.Tables, func(table readme.Table) bool { return slices.Equal(table.First(), files) }) {
			t.Errorf("the README of %s has no table of these files, in this order: %v", stage.Name, files)
		}
	}
}

// everything returns the content of all files below a directory.
func everything(t *testing.T, directory string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(directory, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(directory, path)
		files[name] = content(t, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestReadingOrder wants what the README recommends first, and configuration last.
func TestReadingOrder(t *testing.T) {
	files := []lesson.File{
		{Name: "compose.yaml"}, {Name: "frontend/main.go"}, {Name: "roll/handler_test.go"}, {Name: "traffic/user.go"},
		{Name: "frontend/handler.go"}, {Name: "roll/instruments.go"}, {Name: "roll/batch.go", News: "the batch: read this one"},
	}
	slices.SortFunc(files, func(a, b lesson.File) int { return a.Rank() - b.Rank() })
	var got []string
	for _, f := range files {
		got = append(got, path.Base(f.Name))
	}
	want := []string{"batch.go", "instruments.go", "handler.go", "main.go", "user.go", "handler_test.go", "compose.yaml"}
	if !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

// output is what the command prints to a file, which is no terminal.
func output(t *testing.T, arguments ...string) string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := run(arguments, file); err != nil {
		t.Fatal(err)
	}
	return content(t, file.Name())
}

func TestOutput(t *testing.T) {
	all := output(t, "stage4-async")
	if !strings.HasPrefix(all, "From stage3-die-service to stage4-async\n\n── roll/batch.go (new): the batch: read this one\n@@ -0,0 +1,") {
		t.Errorf("the lesson begins with\n%.300s", all)
	}
	if strings.Contains(all, "\x1b") || strings.Contains(all, "_test.go") {
		t.Error("it has colors, or tests")
	}
	if first := output(t, "stage1-roll"); !strings.HasPrefix(first, "From stage1-roll/plain to stage1-roll/roll\n\n── instruments.go (new): ") {
		t.Errorf("the first lesson begins with\n%.300s", first)
	}
	if list := output(t, "-files", "-tests", "stage4-async"); !strings.HasPrefix(list, "roll/batch.go ") || !strings.Contains(list, "\nroll/batch_test.go ") {
		t.Errorf("files:\n%s", list)
	}
	added, removed := count(all)
	stat := output(t, "-stat", "stage4-async")
	if want := regexp.MustCompile(fmt.Sprintf(`\n\d+ files +\+%d +-%d\n$`, added, removed)); !want.MatchString(stat) {
		t.Errorf("sizes:\n%s\nwant +%d -%d", stat, added, removed)
	}
}

func TestErrors(t *testing.T) {
	for want, arguments := range map[string][]string{
		"want the name of one stage: stage1-roll, ": nil,
		`unknown stage "stage9": must be one of `:   {"stage9"},
	} {
		if err := run(arguments, os.Stdout); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// TestPager wants all lines at a pager, in the colors of git.
func TestPager(t *testing.T) {
	s, err := lesson.Find(all(t)[3], false)
	if err != nil {
		t.Fatal(err)
	}
	d := lesson.NewDiffer()
	if d.Git == "" {
		t.Skip("git is not installed")
	}
	d.Color = true
	got := filepath.Join(t.TempDir(), "paged")
	t.Setenv("GIT_PAGER", "cat > "+got)
	if err := page(os.Stdout, func(out io.Writer) error { return show(out, s, d) }); err != nil {
		t.Fatal(err)
	}
	text := content(t, got)
	if !strings.Contains(text, "\x1b[") {
		t.Error("no colors")
	}
	plain := regexp.MustCompile(`\x1b\[[0-9;]*[mK]`).ReplaceAllString(text, "")
	if want := output(t, "stage4-async"); plain != want {
		t.Errorf("without its colors it is not what a file gets:\n%s", plain)
	}
}
