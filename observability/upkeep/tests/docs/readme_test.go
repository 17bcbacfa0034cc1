package docs

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"example.com/dice/observability/internal/readme"
	"example.com/dice/observability/upkeep/internal/dashboard"
	"example.com/dice/observability/upkeep/internal/shell"
)

// readmes returns the README of the root and those of all stages, by their directory.
func readmes(t *testing.T) map[string]readme.Readme {
	t.Helper()
	return readmesOf(t, append(stageNames(t), ".")...)
}

func readmesOf(t *testing.T, directories ...string) map[string]readme.Readme {
	t.Helper()
	all := make(map[string]readme.Readme)
	for _, directory := range directories {
		got, err := readme.Read(filepath.Join(root, directory, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		all[directory] = got
	}
	return all
}

// pages are all texts that a reader is led to, except for the READMEs of the root and the stages.
var pages = []string{
	"observability/README.md", "observability/signals.md", "observability/nothing-arrives.md", "observability/reference.md",
	"observability/sampling/README.md", "observability/kubernetes/README.md", "observability/doctor/README.md", "observability/upkeep/measurements/README.md",
	"CONTRIBUTING.md",
}

// allPages returns all texts, by their file.
func allPages(t *testing.T) map[string]readme.Readme {
	t.Helper()
	files := append([]string{"README.md"}, pages...)
	for _, name := range stageNames(t) {
		files = append(files, name+"/README.md")
	}
	all := make(map[string]readme.Readme)
	for _, file := range files {
		text, err := readme.Read(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		all[file] = text
	}
	return all
}

// TestReadmeLinks wants each link to lead to a file, and to a heading of it.
func TestReadmeLinks(t *testing.T) {
	all := allPages(t)
	for from, text := range all {
		for _, link := range text.Links {
			if strings.Contains(link, "://") {
				continue
			}
			name, anchor, _ := strings.Cut(link, "#")
			file := from
			if name != "" {
				file = path.Join(path.Dir(from), name)
			}
			if _, err := os.Stat(filepath.Join(root, file)); err != nil {
				t.Errorf("%s: %v", from, err)
			}
			if target, known := all[file]; known && anchor != "" && !target.HasAnchor(anchor) {
				t.Errorf("%s links to #%s, which is no heading of %s", from, anchor, file)
			}
		}
	}
}

// TestFilesOfTheStack wants all that the tables of observability/README.md name to exist.
func TestFilesOfTheStack(t *testing.T) {
	directory := filepath.Join(root, "observability")
	text, err := readme.Read(filepath.Join(directory, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for i, floor := range []string{"", "upkeep"} {
		for _, names := range text.Tables[i+1].First() { // the first says what to read when
			for name := range strings.SplitSeq(names, ", ") {
				if _, err := os.Stat(filepath.Join(directory, floor, name)); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// TestMeasurements wants the test that each command of the measurements runs, and runs its benchmarks.
func TestMeasurements(t *testing.T) {
	text, err := readme.Read(filepath.Join(root, "observability", "upkeep", "measurements", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`-run (\w+) (\S+)$`)
	for _, line := range text.Commands() {
		if strings.Contains(line, "-bench") {
			checkRowsOfCost(t, text, shell.Run(t, root, line+" -benchtime 1x"))
			continue
		}
		found := command.FindStringSubmatch(line)
		if found == nil {
			t.Errorf("no test is named in %s", line)
			continue
		}
		files, err := filepath.Glob(filepath.Join(root, found[2], "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(files, func(file string) bool {
			code, err := os.ReadFile(file)
			return err == nil && strings.Contains(string(code), "func "+found[1]+"(")
		}) {
			t.Errorf("%s has no %s", found[2], found[1])
		}
	}
}

var rowOfCost = regexp.MustCompile(`BenchmarkRoll/?([a-z+_]*)`)

// checkRowsOfCost wants a table of costs to have a row for each benchmark.
func checkRowsOfCost(t *testing.T, text readme.Readme, output string) {
	t.Helper()
	var rows []string
	for _, match := range rowOfCost.FindAllStringSubmatch(output, -1) {
		rows = append(rows, match[1])
	}
	rows[0] = "plain" // the benchmark without sub-benchmarks
	if !slices.ContainsFunc(text.Tables, func(table readme.Table) bool { return slices.Equal(table.First(), rows) }) {
		t.Errorf("no table has the rows %v", rows)
	}
}

// TestReadmeExcerpts wants each excerpt to be in the file that it says it is from, letter by letter, and the stages' READMEs to show the
// file's name above it: GitHub hides what follows the language.
func TestReadmeExcerpts(t *testing.T) {
	for page, text := range allPages(t) {
		for _, block := range text.Of("go", "yaml") {
			if block.Argument == "" && !strings.HasPrefix(page, "stage") {
				continue // an example
			}
			content, err := os.ReadFile(filepath.Join(root, filepath.Dir(page), block.Argument))
			if err != nil {
				t.Errorf("%s: %v", page, err)
				continue
			}
			if !strings.Contains(string(content), block.Text) {
				t.Errorf("%s: this is not in %s:\n%s", page, block.Argument, block.Text)
			}
			if strings.HasPrefix(page, "stage") && !strings.HasSuffix(block.Above, strings.TrimPrefix(block.Argument, "../")) {
				t.Errorf("%s: the excerpt of %s has no such name above it, but %q", page, block.Argument, block.Above)
			}
		}
	}
}

// TestPanelTitles wants each panel that a stage's README names in a sentence about a dashboard to be on a dashboard of the stage.
func TestPanelTitles(t *testing.T) {
	for _, name := range stageNames(t) {
		boards, err := dashboard.Read(root, name)
		if err != nil {
			t.Fatal(err)
		}
		known := append([]string{}, menu...)
		for _, b := range boards {
			known = append(known, b.Title)
			for _, p := range b.Panels {
				known = append(known, p.Title)
			}
		}
		for _, title := range readmes(t)[name].Emphasis {
			if first, _ := utf8.DecodeRuneInString(title); unicode.IsUpper(first) && !slices.Contains(known, title) {
				t.Errorf("README of %s: *%s* is on no dashboard of the stage", name, title)
			}
		}
	}
}

// menu has the names in Grafana's own pages that READMEs use.
var menu = []string{
	"Off", "Refresh", "Explore", "Code", "TraceQL", "Trace", "Alerting", "Alert rules", "Links", "Logs for this span", "Span attributes", "Fields", "Show trace",
	"Query with Tempo", "Sign in", "Make editable", "Trace ID", "Usage", "Loki", "Prometheus", "Tempo", "Kind: client", "Kind: server",
}

// TestReadmeTests wants each test that a README names to exist.
func TestReadmeTests(t *testing.T) {
	for _, name := range stageNames(t) {
		text, err := os.ReadFile(filepath.Join(root, name, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile("`(Test\\w+)`").FindAllSubmatch(text, -1) {
			shell.Run(t, root, fmt.Sprintf("grep -rq --include='*_test.go' '^func %s(' %s observability", match[1], name))
		}
	}
}

func TestReadmeQueries(t *testing.T) {
	for _, name := range stageNames(t) {
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
		if queries < 6 {
			t.Errorf("%s: %d questions are asked of the data, want 6", name, queries)
		}
	}
}

// TestIncidentQueries wants the incidents to ask for metrics and labels that their stages have.
func TestIncidentQueries(t *testing.T) {
	for _, name := range stageNames(t) {
		series := declaredSeries(t, name)
		files, err := filepath.Glob(filepath.Join(root, "observability", "incident", "faults", name, "*.yaml"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no incidents: %v", err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var fault struct{ Way []struct{ PromQL string } }
			if err := yaml.Unmarshal(content, &fault); err != nil {
				t.Fatal(err)
			}
			known := maps.Clone(series)
			if filepath.Base(file) == "trace-in-metric.yaml" { // the fault adds labels, and the queries look for them
				known["dice_rolls_total"] = append(slices.Clone(series["dice_rolls_total"]), "trace_id", "otel_metric_overflow", "__name__")
			}
			for _, step := range fault.Way {
				if step.PromQL != "" {
					checkMetricsAndLabels(t, step.PromQL, known)
				}
			}
		}
	}
}

// changedFiles returns the files that the two directories have not in common, or not with the same content. A
// directory that the second lacks altogether is there as one, with a slash at its end.
func changedFiles(t *testing.T, before, after string) []string {
	t.Helper()
	was, is := files(t, before), files(t, after)
	changed := make(map[string]bool)
	for name, content := range is {
		if old, ok := was[name]; !ok || old != content {
			changed[name] = true
		}
	}
	for name := range was {
		if _, ok := is[name]; ok {
			continue
		}
		if directory := filepath.Dir(name); directory != "." && !isDirectory(filepath.Join(after, directory)) {
			name = directory + "/"
		}
		changed[name] = true
	}
	return slices.Sorted(maps.Keys(changed))
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// files returns the content of all files below a directory, except for a reader's own settings and database.
func files(t *testing.T, directory string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(directory, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == ".env" || strings.HasPrefix(entry.Name(), "dice.db") {
			return err
		}
		name, err := filepath.Rel(directory, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		all[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
