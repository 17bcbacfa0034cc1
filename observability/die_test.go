package observability_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/runner"
)

// TestThirdDie adds a die to the file of each stage that has one. It must be on the page, users must roll it, and the
// metrics that dashboards show by die must have it, with no other change.
func TestThirdDie(t *testing.T) {
	const loaded = `{
		"fair": {"faces": [1, 2, 3, 4, 5, 6], "error_rate": 0},
		"risky": {"faces": [2, 3, 4, 5, 6, 7], "error_rate": 0.1},
		"loaded": {"faces": [6, 6, 6, 6, 6, 6], "error_rate": 0}
	}`
	for _, name := range stages(t) {
		if _, err := os.Stat(filepath.Join(root, name, "dice.json")); err != nil {
			continue // the dice are in the code
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			copied := t.TempDir()
			if err := os.CopyFS(copied, os.DirFS(root)); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(copied, name, "dice.json"), []byte(loaded), 0o644); err != nil {
				t.Fatal(err)
			}
			var page string
			s, generated := runIn(t, copied, name, func(_ *runner.Runner, s *compose.Stage) {
				var session []string // a header
				if hasSignIn(name) {
					session = signIn(t, s.URL("frontend"), "Ada")
				}
				page = body(t, s.URL("frontend"), session...)
			})
			if !strings.Contains(page, `<option value="loaded">loaded</option>`) {
				t.Errorf("the page does not offer the third die:\n%s", page)
			}
			counts := make(map[string]int)
			for _, point := range s.Points() {
				if point.Name != "dice.rolls" {
					continue
				}
				counts[point.Attributes["die.identifier"]] += int(point.Value)
				if point.Attributes["die.identifier"] == "loaded" && point.Attributes["die.value"] != "6" {
					t.Errorf("the loaded die gave %s", point.Attributes["die.value"])
				}
			}
			if len(counts) != 3 || counts["loaded"] == 0 || counts["fair"]+counts["risky"]+counts["loaded"] != generated.dice() {
				t.Errorf("rolls by die: %v, want %d of three dice", counts, generated.dice())
			}
		})
	}
}

func body(t *testing.T, url string, header ...string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var text bytes.Buffer
	if _, err := io.Copy(&text, response.Body); err != nil {
		t.Fatal(err)
	}
	return text.String()
}
