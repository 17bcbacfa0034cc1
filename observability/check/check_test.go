package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/dice/observability/internal/checklist"
	"example.com/dice/observability/internal/collector"
	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/stages"
)

const repository = "../.."

func TestMain(m *testing.M) {
	collector.RunIfChild()
	flag.Parse()
	if err := flag.Set("test.parallel", "4"); err != nil { // the tests wait more than they compute
		panic(err)
	}
	code := m.Run()
	if classroom != "" {
		_ = os.RemoveAll(classroom)
	}
	os.Exit(code)
}

// classroom is a directory with links to the stages in which learners work, so that the repository itself is not changed. All learners share it, so
// that common packages are compiled once.
var classroom string

var openClassroom = sync.OnceValue(func() error {
	repo, err := filepath.Abs(repository)
	if err != nil {
		return err
	}
	names, err := stages.Names(repo)
	if err != nil {
		return err
	}
	if classroom, err = os.MkdirTemp("", "dice-test-"); err != nil {
		return err
	}
	for _, name := range append(names, "shared", "observability", "go.work", "go.work.sum") {
		if err := os.Symlink(filepath.Join(repo, name), filepath.Join(classroom, name)); err != nil {
			return err
		}
	}
	return nil
})

// programs is the directory that keeps the programs of all runs, because linking one takes longer than a run.
func programs() string { return filepath.Join(classroom, ".programs") }

// thorough skips a test that takes longer than a contributor wants to wait. CI runs it.
func thorough(t *testing.T) {
	t.Helper()
	if os.Getenv("THOROUGH") == "" {
		t.Skip("make check runs this")
	}
}

func stageOf(t *testing.T, root, name string) stages.Stage {
	t.Helper()
	stage, err := stages.Find(root, name)
	if err != nil {
		t.Fatal(err)
	}
	return stage
}

// learner returns a new directory with the code that a stage starts from.
func learner(t *testing.T, stage string) code {
	t.Helper()
	if err := openClassroom(); err != nil {
		t.Fatal(err)
	}
	directory, err := os.MkdirTemp(classroom, "my-")
	if err != nil {
		t.Fatal(err)
	}
	s := code{stage: stageOf(t, classroom, stage), directory: directory, programs: programs()}
	if err := start(io.Discard, s); err != nil {
		t.Fatal(err)
	}
	return s
}

// take replaces files of the learner's by the stage's. A name that ends in a slash is a directory.
func (s code) take(t *testing.T, names ...string) {
	t.Helper()
	from := s.stage.Directory
	for _, name := range names {
		if strings.HasSuffix(name, "/") {
			if err := copyTree(filepath.Join(from, name), filepath.Join(s.directory, name), isStart); err != nil {
				t.Fatal(err)
			}
			continue
		}
		content, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := write(filepath.Join(s.directory, name), content); err != nil {
			t.Fatal(err)
		}
	}
}

// edit replaces text in a file of the learner's, and fails if the text is missing.
func (s code) edit(t *testing.T, file string, pairs ...string) {
	t.Helper()
	name := filepath.Join(s.directory, file)
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%s does not contain %q", file, pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func silent(string) {}

func (s code) mustJudge(t *testing.T) checklist.Result {
	t.Helper()
	services, err := s.load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.judge(t.Context(), services, silent)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// wantAll fails unless all items are there.
func wantAll(t *testing.T, s code, got checklist.Result) {
	t.Helper()
	if l := got.Missing(); l != nil {
		t.Errorf("%s: %q is not there: %s", l.Service, l.Title, l.Verdict.Reason)
		var out bytes.Buffer
		printResult(&out, got, s)
		t.Log(&out)
	}
}

// wantMissing fails unless this is the first missing item, with this reason.
func wantMissing(t *testing.T, got checklist.Result, title, reason string) {
	t.Helper()
	l := got.Missing()
	switch {
	case l == nil:
		t.Errorf("nothing is missing, want %q", title)
	case l.Service+": "+l.Title != title || !strings.Contains(l.Verdict.Reason, reason):
		t.Errorf("%q is missing: %s\nwant %q: %s", l.Service+": "+l.Title, l.Verdict.Reason, title, reason)
	}
}

// TestStages checks each stage's own code.
func TestStages(t *testing.T) {
	t.Parallel()
	names, err := stages.Names(repository)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name != names[0] {
				thorough(t)
			}
			stage := stageOf(t, repository, name)
			got := checklist.Judge(declaration(t, name), declared.Telemetry{}, recording(t, name))
			wantAll(t, code{stage: stage, directory: stage.Directory}, got)
			for _, extra := range got.Extra {
				if !strings.Contains(extra, "span") { // spans of probes, which are not part of the traffic
					t.Errorf("also seen, in the stage itself: %s", extra)
				}
			}
		})
	}
}

// TestSteps completes each stage part by part. The start lacks the first part, and each part adds items.
func TestSteps(t *testing.T) {
	t.Parallel()
	const most = 5 // items that a step of the first stage may add, so that each shows what it is about
	type part struct {
		files   []string
		missing string   // the first missing item after this part, or empty
		without []string // pairs of text, to replace the first by the second in the first file
	}
	for stage, parts := range map[string][]part{
		"stage1-roll": {
			{nil, `roll: telemetry arrives, from service "roll"`, nil},
			{[]string{"roll/main.go"}, "roll: at the stop, nothing is lost", []string{"flush, err :=", "_, err =", "defer func() { err = flush(ctx, err) }()", ""}},
			{[]string{"roll/main.go"}, `roll: span "GET /roll" (server), child of the caller's span`, nil},
			{[]string{"roll/router.go"}, `roll: span "roll die" (internal), child of "GET /roll"`, nil},
			{[]string{"roll/instruments.go", "roll/roller.go"}, "", nil},
		},
		"stage2-frontend": {
			{nil, "frontend: the service runs", nil},
			{[]string{"compose.yaml"}, "frontend: the service runs", nil},
			{[]string{"frontend/"}, "", nil},
		},
		"stage3-die-service": {
			{nil, "die: the service runs", nil},
			{[]string{"compose.yaml", "dice.json", "die/"}, `roll: span "GET /dice" (client), child of "GET /roll"`, nil},
			{[]string{"roll/"}, `frontend: span "GET /dice" (client), child of "GET /" or "POST /"`, nil},
			{[]string{"frontend/"}, "", nil},
		},
		"stage4-async": {
			{nil, "roll: it answers /roll and /roll-async", nil},
			{[]string{"roll/"}, `frontend: log record "run" (INFO)`, nil},
			{[]string{"frontend/"}, "all services: metrics of the SDK itself (otel.sdk)", nil},
			{[]string{"compose.yaml"}, "", nil},
		},
		"stage5-database": {
			{nil, `die: span "SELECT dice" (client), child of "GET /dice"`, nil},
			{[]string{"compose.yaml", "die/"}, "die: metric db.client.connection.max (up-down sum)", nil},
			{[]string{"collector.yaml"}, "", nil},
		},
		"stage6-usage": {
			{nil, `frontend: log record "sign-in" (INFO)`, nil},
			{[]string{"frontend/"}, "frontend: usage goes to its own tenant, and users are named nowhere else", nil},
			{[]string{"collector.yaml"}, "", nil},
		},
	} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			if stage != "stage1-roll" && stage != "stage2-frontend" {
				thorough(t)
			}
			s := learner(t, stage)
			done := 0
			for i, p := range parts {
				s.take(t, p.files...)
				if p.without != nil {
					s.edit(t, p.files[0], p.without...)
				}
				got := s.mustJudge(t)
				if p.missing == "" {
					wantAll(t, s, got)
				} else {
					wantMissing(t, got, p.missing, "")
				}
				if added := got.Done() - done; i > 0 && got.Ran && (added <= 0 || stage == "stage1-roll" && added > most) {
					t.Errorf("%v: %d items are there, and %d were before", p.files, got.Done(), done)
				}
				done = got.Done()
			}
		})
	}
}

// fault is an edit of the first stage's code, and the verdict that it must get.
type fault struct {
	file           string
	pairs          []string
	title, reason  string
	inEveryRun     bool // of the tests; make check runs them all
	andNothingElse bool // is missing
}

var faults = map[string]fault{
	"no answer":            {"router.go", []string{`r.Get("/roll"`, `r.Get("/rolls"`}, "roll: it answers /roll", "GET /roll: the status is 40", false, false},
	"does not build":       {"router.go", []string{"return r", "return q"}, "roll: the service runs", "undefined: q", true, false},
	"exits at once":        {"main.go", []string{"cfg, err := readConfig()", "panic(1)\n\tcfg, err := readConfig()"}, "roll: the service runs", "roll exited", false, false},
	"wrong name":           {"main.go", []string{`telemetry.Start(ctx, "roll"`, `telemetry.Start(ctx, "rolls"`}, `roll: telemetry arrives, from service "roll"`, `The name must be "roll"`, false, false},
	"wrong endpoint":       {"main.go", []string{"flush, err :=", "os.Setenv(\"OTEL_EXPORTER_OTLP_ENDPOINT\", \"http://localhost:1\")\n\tflush, err :="}, `roll: telemetry arrives, from service "roll"`, "could not", true, false},
	"wrong protocol":       {"main.go", []string{"flush, err :=", "os.Setenv(\"OTEL_EXPORTER_OTLP_PROTOCOL\", \"http/protobuf\")\n\tflush, err :="}, `roll: telemetry arrives, from service "roll"`, "could not", false, false},
	"no flush":             {"main.go", []string{"err = flush(ctx, err)", "_ = flush"}, "roll: at the stop, nothing is lost", "is lost", true, false},
	"message misspelt":     {"handler.go", []string{`"rolled"`, `"roled"`}, `roll: log record "rolled" (INFO)`, `There is "roled"`, false, true},
	"propagation lost":     {"router.go", []string{"r.Use(otelchi", "r.Use(func(next http.Handler) http.Handler {\n\t\treturn http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { r.Header.Del(\"traceparent\"); next.ServeHTTP(w, r) })\n\t})\n\tr.Use(otelchi"}, `roll: span "GET /roll" (server), child of the caller's span`, "propagation is lost", true, false},
	"context lost":         {"roller.go", []string{`tracer.Start(ctx, "roll die"`, `tracer.Start(context.Background(), "roll die"`}, `roll: span "roll die" (internal), child of "GET /roll"`, "have no parent: the context is lost", true, false},
	"span misspelt":        {"roller.go", []string{`"roll die"`, `"roll-die"`}, `roll: span "roll die" (internal), child of "GET /roll"`, `There is "roll-die"`, false, true},
	"no span":              {"roller.go", []string{`ctx, span := tracer.Start(ctx, "roll die", trace.WithAttributes(identifier))`, `_ = trace.WithAttributes; span := trace.SpanFromContext(context.Background())`}, `roll: span "roll die" (internal), child of "GET /roll"`, "rolls, but no such span", false, true},
	"wrong kind":           {"roller.go", []string{"trace.WithAttributes(identifier)", "trace.WithAttributes(identifier), trace.WithSpanKind(trace.SpanKindClient)"}, `roll: span "roll die" (internal), child of "GET /roll"`, "of the kind client, not internal", false, true},
	"span never ended":     {"roller.go", []string{"defer span.End()", "_ = 0"}, `roll: span "roll die" (internal), child of "GET /roll"`, "", false, true},
	"attribute misspelt":   {"roller.go", []string{`"die.identifier"`, `"die_identifier"`}, `roll: span "roll die" (internal), child of "GET /roll"`, `The attribute die.identifier of the span is missing. There is "die_identifier"`, true, false},
	"attribute's type":     {"roller.go", []string{`attribute.Int("die.value", value)`, `attribute.String("die.value", string(rune('0'+value)))`}, `roll: span "roll die" (internal), child of "GET /roll"`, "is of type string, not int", false, false},
	"attribute's value":    {"roller.go", []string{`"rolled"`, `"ok"`}, `roll: span "roll die" (internal), child of "GET /roll"`, "must be one of rolled, failed, canceled", false, false},
	"no status":            {"roller.go", []string{"span.SetStatus(codes.Error, err.Error())", "_ = codes.Error"}, `roll: span "roll die" (internal), child of "GET /roll"`, "status is not an error", false, true},
	"no trace in a record": {"handler.go", []string{`slog.InfoContext(ctx, "rolled"`, `slog.InfoContext(context.Background(), "rolled"`}, "roll: log records carry the trace of their request", `have no trace: those with the message "rolled"`, false, true},
	"metric misspelt":      {"instruments.go", []string{`"dice.rolls"`, `"dice.roll"`}, "roll: metric dice.rolls (sum)", `There is "dice.roll"`, false, true},
	"wrong unit":           {"instruments.go", []string{`metric.WithUnit("s")`, `metric.WithUnit("ms")`}, "roll: metric dice.roll.wait (histogram)", `Its unit is "ms", not "s"`, false, true},
	"default bounds":       {"instruments.go", []string{"metric.WithExplicitBucketBoundaries(0.1,", "metric.WithExplicitBucketBoundaries(0.11,"}, "roll: metric dice.roll.wait (histogram)", "bounds of its buckets", false, true},
	"too many series":      {"roller.go", []string{"append(attributes, identifier)...", "append(attributes, identifier, attribute.String(\"span\", span.SpanContext().SpanID().String()))..."}, "roll: metric dice.rolls (sum)", "too many series: its attribute span has", true, true},
}

// TestFaults puts one fault at a time into the first stage's code, and wants the verdict that belongs to it.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !f.inEveryRun {
				thorough(t)
			}
			s := learner(t, "stage1-roll")
			s.take(t, "roll/main.go", "roll/router.go", "roll/instruments.go", "roll/roller.go")
			s.edit(t, "roll/"+f.file, f.pairs...)
			got := s.mustJudge(t)
			wantMissing(t, got, f.title, f.reason)
			if missing := len(got.Lines) - got.Done(); f.andNothingElse && missing != 1 {
				t.Errorf("%d items are missing, want this one only: %v", missing, titles(got))
			}
		})
	}
}

func titles(r checklist.Result) []string {
	var all []string
	for _, l := range r.Lines {
		if !l.Verdict.There() {
			all = append(all, l.Title+": "+l.Verdict.Reason)
		}
	}
	return all
}

// TestStyles checks code that differs from the stage's and is just as correct.
func TestStyles(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, s code){
		"the middleware of otelhttp": func(t *testing.T, s code) {
			t.Helper()
			s.edit(t, "roll/router.go", `r.Use(otelchi.Middleware("", otelchi.WithChiRoutes(r), otelchi.WithRequestMethodInSpanName(true)))`,
				`r.Use(func(next http.Handler) http.Handler {
		named := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			span := trace.SpanFromContext(r.Context())
			route := chi.RouteContext(r.Context()).RoutePattern()
			span.SetName(r.Method + " " + route)
			span.SetAttributes(attribute.String("http.route", route))
		})
		return otelhttp.NewHandler(named, "", otelhttp.WithMeterProvider(noop.NewMeterProvider()))
	})`, `"github.com/riandyrn/otelchi"`, "\"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp\"\n\t\"go.opentelemetry.io/otel/attribute\"\n\t\"go.opentelemetry.io/otel/metric/noop\"\n\t\"go.opentelemetry.io/otel/trace\"")
		},
		"other names of files": func(t *testing.T, s code) {
			t.Helper()
			for from, to := range map[string]string{"instruments.go": "otel.go", "roller.go": "business.go", "main.go": "roll.go"} {
				if err := os.Rename(filepath.Join(s.directory, "roll", from), filepath.Join(s.directory, "roll", to)); err != nil {
					t.Fatal(err)
				}
			}
		},
		"spans and attributes of one's own": func(t *testing.T, s code) {
			t.Helper()
			s.edit(t, "roll/roller.go", "rollWait.Record(ctx, wait.Seconds())", "_, own := tracer.Start(ctx, \"mine\")\n\t\town.SetAttributes(attribute.String(\"mine\", \"yes\"))\n\t\town.End()\n\t\trollWait.Record(ctx, wait.Seconds())",
				"span.SetAttributes(attributes...)", "span.SetAttributes(attributes...)\n\tspan.SetAttributes(attribute.Int(\"my.number\", 7))")
		},
		"attributes at the start of the span": func(t *testing.T, s code) {
			t.Helper()
			s.edit(t, "roll/roller.go", `tracer.Start(ctx, "roll die", trace.WithAttributes(identifier))`, `tracer.Start(ctx, "roll die", trace.WithSpanKind(trace.SpanKindInternal))`+"\n\tspan.SetAttributes(identifier)")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name != "the middleware of otelhttp" {
				thorough(t)
			}
			s := learner(t, "stage1-roll")
			s.take(t, "roll/main.go", "roll/router.go", "roll/instruments.go", "roll/roller.go")
			change(t, s)
			got := s.mustJudge(t)
			wantAll(t, s, got)
			if own := slices.Contains(got.Extra, `roll: span "mine" (internal)`); own != strings.HasPrefix(name, "spans") {
				t.Errorf("also seen: %q", got.Extra)
			}
		})
	}
}
