package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestNotice requires that tests which do not depend on the span of a roll are told from those that do.
func TestNotice(t *testing.T) {
	t.Parallel()
	thorough(t)
	s := learner(t, "stage1-roll")
	s.take(t, "roll/instruments.go", "roll/roller.go")
	roll := filepath.Join(s.directory, "roll")
	for _, test := range []struct{ body, want string }{
		{"", "no tests of roll yet"},
		{"_, _ = findDie(`fair`)", "still pass"},
		{"t.Fail()", "already fail"},
		{`recorder := tracetest.NewSpanRecorder()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)))
	_, _ = roller{chance: chance.New(1), maxWait: 1}.rollDie(t.Context(), die{"fair", []int{1}, 0})
	if len(recorder.Ended()) != 1 { t.Error("no span") }`, ""},
	} {
		if test.body != "" {
			text := "package main\n\nimport (\n\"testing\"\n\"example.com/dice/shared/chance\"\n\"go.opentelemetry.io/otel\"\nsdktrace \"go.opentelemetry.io/otel/sdk/trace\"\n\"go.opentelemetry.io/otel/sdk/trace/tracetest\"\n)\n\nvar _, _, _, _ = chance.New, otel.Tracer, sdktrace.NewTracerProvider, tracetest.NewSpanRecorder\n\nfunc TestMine(t *testing.T) {\n" + test.body + "\n}\n"
			if err := write(filepath.Join(roll, "my_test.go"), []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := notice(t.Context(), roll); err != nil || !strings.Contains(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%s: error %v, %q, want %q", test.body, err, got, test.want)
		}
	}
	s.edit(t, "roll/roller.go", "tracer.Start(ctx, ", "tracer.Start(context.WithoutCancel(ctx), ")
	if got, err := notice(t.Context(), roll); err != nil || !strings.Contains(got, "could not remove") {
		t.Errorf("a span started in another way: error %v, %q", err, got)
	}
}
