package stages

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/internal/readme"
)

// TestRenamedMetric wants the rule of reference.md to give the pool's limit its new name, whichever name a service sends. Only the collector
// runs.
func TestRenamedMetric(t *testing.T) {
	t.Parallel()
	const name = "stage5-database"
	text, err := readme.Read(filepath.Join(root, "observability", "reference.md"))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(text.Blocks, func(b readme.Block) bool { return strings.Contains(b.Text, `"db.client.connection.limit"`) })
	if i < 0 {
		t.Fatal("reference.md has no rule")
	}
	stage := load(t, name)
	stage.Services = nil
	stage.Dir = filepath.Join(t.TempDir(), name)
	replaceRule(t, filepath.Join(root, name), stage.Dir, text.Blocks[i].Text)

	s := start(t, stage)
	old := []string{"db.sql.connection.max_open", "db.client.connection.max", "db.client.connection.limit"}
	for _, metric := range old {
		sendGauge(t, "http://"+stage.OTLPHTTP.Address(), metric)
	}
	eventually(t, func(t errorer) {
		var from []string
		for _, point := range s.Store.Points() {
			if point.Name != "db.client.connection.limit" {
				t.Errorf("a metric is called %s", point.Name)
			}
			from = append(from, point.Attributes["from"])
		}
		slices.Sort(from)
		if want := slices.Sorted(slices.Values(old)); !slices.Equal(from, want) {
			t.Errorf("got %q, want %q", from, want)
		}
	})
}

// replaceRule copies the collector's file of a stage into a directory, with another rule for the pool's limit.
func replaceRule(t *testing.T, from, to, rule string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(from, "collector.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for line := range strings.Lines(string(content)) {
		if strings.Contains(line, `set(metric.name, "db.client.connection.max")`) {
			line = rule
		}
		out.WriteString(line)
	}
	if !strings.Contains(out.String(), rule) {
		t.Fatal("there is no rule to replace")
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to, "collector.yaml"), []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	observability, err := filepath.Abs(filepath.Join(root, "observability"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(observability, filepath.Join(filepath.Dir(to), "observability")); err != nil {
		t.Fatal(err)
	}
}

// sendGauge sends a metric with its name in the attribute from.
func sendGauge(t *testing.T, collector, name string) {
	t.Helper()
	body := fmt.Sprintf(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":%q,"gauge":{"dataPoints":[
		{"asInt":"4","timeUnixNano":"1","attributes":[{"key":"from","value":{"stringValue":%q}}]}]}}]}]}]}`, name, name)
	response, err := http.Post(collector+"/v1/metrics", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("%s: %s", name, response.Status)
	}
}
