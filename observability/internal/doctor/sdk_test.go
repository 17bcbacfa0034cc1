package doctor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/internal/otlp"
)

// TestOtherSDKs judges telemetry in the form in which the SDKs of other languages and their instrumentation libraries send it. What the user
// of a library cannot change is at most a note.
func TestOtherSDKs(t *testing.T) {
	for language, want := range map[string]string{
		"java":    "library-deprecated",
		"python":  "library-deprecated",
		"node":    "library-deprecated resource-no-environment resource-no-version",
		"dotnet":  "library-deprecated",
		"php":     "library-deprecated",
		"ruby":    "library-deprecated resource-no-environment resource-no-version",
		"browser": "library-deprecated resource-no-environment",
	} {
		t.Run(language, func(t *testing.T) {
			file, err := os.Open(filepath.Join("testdata", "sdk", language+".jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			j := New(File)
			if err := otlp.Read(file, j); err != nil {
				t.Fatal(err)
			}
			r := j.Finish()
			var got []string
			for _, finding := range r.Findings {
				got = append(got, finding.Rule.ID)
			}
			slices.Sort(got)
			if strings.Join(got, " ") != want || r.Worst() != Note || len(r.Services) != 1 || r.Services[0].Spans == 0 {
				t.Errorf("found %v, want %s: %+v", got, want, r.Findings)
			}
		})
	}
}
