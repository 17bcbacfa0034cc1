package doctor

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.com/dice/observability/internal/doctor"
	"example.com/dice/observability/internal/otlp"
)

// TestStyles runs programs in other styles than the stages', and wants the notes that belong to them, nothing worse, and no other note.
func TestStyles(t *testing.T) {
	thorough(t)
	program := filepath.Join(t.TempDir(), "styles")
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-ldflags=-s -w", "-o", program, "./testdata/styles").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for name, notes := range map[string]string{
		"web":    "",
		"batch":  "",
		"queue":  "",
		"rpc":    "signal-missing", // it has no metrics
		"cli":    "",
		"events": "exception-event", // it calls RecordError
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			judge := doctor.New(doctor.Command)
			server, err := otlp.Listen(t.Context(), "127.0.0.1:0", otlp.Either, "", judge)
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			command := exec.CommandContext(t.Context(), program, name)
			command.Env = append(os.Environ(), "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+server.Address(), "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
				"OTEL_TRACES_EXPORTER=otlp", "OTEL_METRICS_EXPORTER=otlp", "OTEL_LOGS_EXPORTER=otlp", "OTEL_GO_X_OBSERVABILITY=true")
			if output, err := command.CombinedOutput(); err != nil || len(output) > 0 {
				t.Fatalf("error %v\n%s", err, output)
			}
			report := judge.Finish()
			var got []string
			for _, finding := range report.Findings {
				got = append(got, finding.Rule.ID)
				t.Logf("%s %+v", finding.Rule.ID, finding.Evidence)
			}
			if strings.Join(got, " ") != notes || len(report.Services) != 1 || report.Services[0].Score.Value != 100 {
				t.Errorf("found %v, want %q: %+v", got, notes, report.Services)
			}
		})
	}
}
