package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/internal/collector"
	"example.com/dice/observability/internal/incidents"
	"example.com/dice/observability/internal/progress"
	"example.com/dice/observability/internal/stages"
	"example.com/dice/observability/internal/store"
)

const root = "../.."

func TestMain(m *testing.M) {
	collector.RunIfChild()
	os.Exit(m.Run())
}

// everyFault runs a test for each fault of each stage.
func everyFault(t *testing.T, test func(t *testing.T, f fault)) {
	stages, err := stages.Names(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, stage := range stages {
		names, err := incidents.Names(root, stage)
		if err != nil {
			t.Fatal(err)
		}
		if len(names) < 3 {
			t.Errorf("%s has %d incidents, want 3 at least", stage, len(names))
		}
		for _, name := range names {
			t.Run(stage+" "+name, func(t *testing.T) {
				f, err := load(root, stage, name)
				if err != nil {
					t.Fatal(err)
				}
				test(t, f)
			})
		}
	}
}

func TestFaultsAreComplete(t *testing.T) {
	everyFault(t, func(t *testing.T, f fault) {
		if len(f.patch) == 0 && len(f.Variables) == 0 {
			t.Error("nothing is broken")
		}
		for name, text := range map[string]string{"symptom": f.Symptom, "report": f.Report, "fix": f.Fix} {
			if strings.TrimSpace(text) == "" {
				t.Errorf("no %s", name)
			}
		}
		if len(f.Questions) != 3 || len(f.Way) < 2 {
			t.Errorf("%d questions and %d queries, want 3 and 2 at least", len(f.Questions), len(f.Way))
		}
		for _, q := range f.Questions {
			checkQuestion(t, q)
		}
		for _, s := range f.Way {
			checkStep(t, s)
		}
	})
}

func checkQuestion(t *testing.T, q question) {
	t.Helper()
	if q.Ask == "" || len(q.Wrong) != len(letters)-1 {
		t.Errorf("question %q has %d wrong answers", q.Ask, len(q.Wrong))
	}
	answers := []string{q.Right}
	for _, wrong := range q.Wrong {
		if wrong.Why == "" {
			t.Errorf("nothing says why %q is wrong", wrong.Answer)
		}
		answers = append(answers, wrong.Answer)
	}
	slices.Sort(answers)
	if answers[0] == "" || len(slices.Compact(answers)) != len(letters) {
		t.Errorf("question %q lacks an answer, or has one twice: %q", q.Ask, answers)
	}
}

func checkStep(t *testing.T, s step) {
	t.Helper()
	queries := slices.DeleteFunc([]string{s.PromQL, s.TraceQL, s.LogQL}, func(query string) bool { return query == "" })
	if len(queries) != 1 || s.Shows == "" {
		t.Errorf("want one query, and what it shows: %+v", s)
	}
}

func TestPatches(t *testing.T) {
	everyFault(t, func(t *testing.T, f fault) {
		t.Parallel()
		for _, file := range f.files() {
			if !strings.HasPrefix(file, f.Stage+"/") {
				t.Errorf("%s is not in %s", file, f.Stage)
			}
		}
		broken, err := copyWith(t.Context(), root, f)
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(broken)
		f.patch = []byte(f.reversed()) // the patch in the explanation must remove the fault
		if err := f.apply(t.Context(), broken); err != nil {
			t.Fatal(err)
		}
		for _, file := range f.files() {
			if !bytes.Equal(read(t, broken, file), read(t, root, file)) {
				t.Errorf("%s is not as it was", file)
			}
		}
	})
}

func read(t *testing.T, directory, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(directory, file))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// rightAnswers returns the input that answers all questions about a named fault right, in a game with this seed.
func rightAnswers(f fault, seed uint64) string {
	chance := rand.New(rand.NewPCG(seed, 0))
	var typed strings.Builder
	for range f.Questions {
		typed.WriteString(string(letters[slices.Index(chance.Perm(len(letters)), 0)]) + "\n")
	}
	return typed.String()
}

// recorded stands for a run of a stage.
func recorded(context.Context, string, fault, []string, func(string)) (*store.Store, error) {
	return new(store.Store), nil
}

// home returns a directory like the root of the repository, so that a test does not change the progress of whoever runs it.
func home(t *testing.T) string {
	t.Helper()
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(repository)
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") {
			if err := os.Symlink(filepath.Join(repository, entry.Name()), filepath.Join(directory, entry.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	return directory
}

// solvedIn returns the incidents of a stage that are saved as solved.
func solvedIn(t *testing.T, root, stage string) []string {
	t.Helper()
	p, err := progress.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	return p.Incidents[stage]
}

func TestPlay(t *testing.T) {
	everyFault(t, func(t *testing.T, f fault) {
		right := rightAnswers(f, 7)
		var wrongFirst strings.Builder
		for answer := range strings.FieldsSeq(right) {
			wrongFirst.WriteString(strings.Replace(letters, answer, "", 1)[:1] + "\n" + answer + "\n")
		}
		tests := map[string]struct {
			typed  string
			solved bool
			texts  []string
		}{
			"right":          {right, true, []string{"3 of 3 right", f.Way[0].PromQL, "The fix", f.Name}},
			"upper case":     {strings.ToUpper(right), true, []string{"3 of 3 right"}},
			"wrong first":    {wrongFirst.String(), false, []string{"0 of 3 right", "No. "}},
			"not an answer":  {"e\n\nab\n" + right, true, []string{"Type a, b, c or d", "3 of 3 right"}},
			"end of input":   {right[:2], false, []string{"Question 2 of 3"}},
			"nothing at all": {"", false, []string{"Question 1 of 3"}},
		}
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				var out strings.Builder
				o := options{root: home(t), stage: f.Stage, name: f.Name, seed: 7, in: strings.NewReader(test.typed), out: &out}
				for range 2 { // solving an incident again changes nothing
					o.in = strings.NewReader(test.typed)
					if err := play(t.Context(), o, recorded); err != nil {
						t.Fatal(err)
					}
				}
				var want []string
				if test.solved {
					want = []string{f.Name}
				}
				if got := solvedIn(t, o.root, f.Stage); !slices.Equal(got, want) {
					t.Errorf("solved: %q, want %q", got, want)
				}
				for _, text := range test.texts {
					if !strings.Contains(out.String(), text) {
						t.Errorf("the output lacks %q:\n%s", text, &out)
					}
				}
				checkWidth(t, out.String())
			})
		}
	})
}

// checkWidth fails if a line of prose is too long. Queries and patches are not wrapped, because users copy them.
func checkWidth(t *testing.T, text string) {
	t.Helper()
	prose, _, _ := strings.Cut(text, "How to find it")
	for line := range strings.Lines(prose) {
		if !strings.HasPrefix(line, "Your answer") && len([]rune(strings.TrimSpace(line))) > columns {
			t.Errorf("too long: %s", line)
		}
	}
}

func TestInterrupt(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	in, typed := io.Pipe() // nobody types
	defer typed.Close()
	out := writerFunc(func(p []byte) (int, error) {
		if bytes.Contains(p, []byte("Your answer")) {
			interrupt()
		}
		return len(p), nil
	})
	o := options{root: home(t), stage: "stage1-roll", in: in, out: out}
	if err := play(ctx, o, recorded); err != nil || solvedIn(t, o.root, o.stage) != nil {
		t.Errorf("error %v, solved %q", err, solvedIn(t, o.root, o.stage))
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestInterruptOfTheRun(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	interrupted := func(context.Context, string, fault, []string, func(string)) (*store.Store, error) {
		interrupt()
		return nil, errors.New("roll exited: signal: interrupt")
	}
	o := options{root: home(t), stage: "stage1-roll", in: strings.NewReader(""), out: io.Discard}
	if err := play(ctx, o, interrupted); err != nil {
		t.Error(err)
	}
	if err := play(t.Context(), o, interrupted); err == nil {
		t.Error("no error, but nobody interrupted the run")
	}
}

func TestArguments(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // before anything runs
	path, err := filepath.Abs(filepath.Join(root, "stage1-roll"))
	if err != nil {
		t.Fatal(err)
	}
	for arguments, want := range map[string]string{
		"":                                 "want the name of one stage: stage1-roll, ",
		"-docker":                          "want the name of one stage: stage1-roll, ",
		"stage9":                           `unknown stage "stage9": must be one of stage1-roll, `,
		"stage1-roll flood":                `stage1-roll has no incident "flood": choose one of default-buckets, `,
		"stage1-roll/ flood -docker":       `stage1-roll has no incident "flood": choose one of default-buckets, `,
		"-docker " + path + " flood":       `stage1-roll has no incident "flood": choose one of default-buckets, `,
		"stage1-roll ../stage2-frontend/x": `stage1-roll has no incident "../stage2-frontend/x": `,
		"stage1-roll default-buckets more": "want a stage and at most one name of an incident, ",
		"stage1-roll -dokcer":              "flag provided but not defined: -dokcer",
		"-help":                            "",
	} {
		var out strings.Builder
		err := run(ctx, strings.Fields(arguments), strings.NewReader(""), &out)
		if want == "" != (err == nil) || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", arguments, err, want)
		}
	}
}

func TestChanceChoosesAllUnsolvedFaults(t *testing.T) {
	names, err := incidents.Names(root, "stage1-roll")
	if err != nil {
		t.Fatal(err)
	}
	for _, solved := range [][]string{nil, names[:1], names} {
		seen := make(map[string]bool)
		for seed := range uint64(100) {
			f, err := choose(options{root: root, stage: "stage1-roll"}, solved, rand.New(rand.NewPCG(seed, 0)))
			if err != nil {
				t.Fatal(err)
			}
			seen[f.Name] = true
		}
		if want := cmp.Or(len(names)-len(solved), len(names)); len(seen) != want || want < len(names) && seen[names[0]] {
			t.Errorf("got %v of %v after %v were solved", seen, names, solved)
		}
	}
}
