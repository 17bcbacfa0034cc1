package stages

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/dice/observability/internal/compose"
)

// addDie adds a die to those of a stage, if they are in a file.
func addDie(t *testing.T, stage *compose.Stage) {
	t.Helper()
	const dice = `{
		"fair": {"faces": [1, 2, 3, 4, 5, 6], "error_rate": 0},
		"risky": {"faces": [2, 3, 4, 5, 6, 7], "error_rate": 0.1},
		"loaded": {"faces": [6, 6, 6, 6, 6, 6], "error_rate": 0}
	}`
	service := stage.Service("die")
	if service == nil {
		return
	}
	file := filepath.Join(t.TempDir(), "dice.json")
	if err := os.WriteFile(file, []byte(dice), 0o600); err != nil {
		t.Fatal(err)
	}
	service.Environment = append(service.Environment, "DICE_FILE="+file)
}

// checkThirdDie wants the added die on the page, and in the metrics that dashboards show by die, because users roll it.
func checkThirdDie(t *testing.T, s *running, generated summary) {
	t.Helper()
	var session []string // a header
	if hasSignIn(s.stage.Name) {
		session = signIn(t, s.stage.URL("frontend"), "Ada")
	}
	if page := body(t, s.stage.URL("frontend"), session...); !strings.Contains(page, `<option value="loaded">loaded</option>`) {
		t.Errorf("the page does not offer the third die:\n%s", page)
	}
	counts := make(map[string]int)
	for _, point := range s.Store.Points() {
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
