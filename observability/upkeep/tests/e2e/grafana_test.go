//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.com/dice/observability/upkeep/internal/dashboard"
	"example.com/dice/observability/upkeep/internal/engine"
	"example.com/dice/observability/upkeep/internal/grafana"
	"example.com/dice/observability/upkeep/internal/stack"
)

const grafanaURL = grafana.Grafana("http://localhost:3000")

// checkGrafana wants a Grafana that starts without errors, lets nobody in or save, and answers the queries of all panels. It
// leaves pictures in the directory that E2E_PICTURES names.
func checkGrafana(t *testing.T, s *stack.Stack) {
	var health struct{ Version, Database string }
	stack.Eventually(t, "health", func() error { return grafanaURL.Get(t.Context(), "/api/health", &health) })
	pinned := regexp.MustCompile(`image: grafana/grafana:(\S+)`).FindStringSubmatch(readFile(t, "observability", "compose.yaml"))
	if pinned == nil || health.Version != pinned[1] || health.Database != "ok" {
		t.Errorf("health %+v, want version %v", health, pinned)
	}
	t.Run("log", func(t *testing.T) { checkGrafanaLog(t, s) })
	t.Run("visitors", checkVisitors)
	boards, err := dashboard.Read(repository, s.Stage)
	if err != nil {
		t.Fatal(err)
	}
	for _, board := range boards {
		t.Run(board.Title, func(t *testing.T) { checkProvisioned(t, board) })
	}
	t.Run("pictures", func(t *testing.T) {
		directory := os.Getenv("E2E_PICTURES")
		if directory == "" {
			directory = t.TempDir()
		}
		album := grafana.Album{Grafana: grafanaURL, Root: repository, Stage: s.Stage, Directory: filepath.Join(directory, s.Stage)}
		if _, err := album.Take(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// checkGrafanaLog wants data sources and dashboards to be provisioned without an error, and no setting that is on its way out but
// the one for Explore, which compose.yaml explains.
func checkGrafanaLog(t *testing.T, s *stack.Stack) {
	for line := range strings.Lines(s.Compose(t, "logs", "--no-color", "grafana")) {
		deprecated := strings.Contains(strings.ToLower(line), "deprecated") && !strings.Contains(line, "viewers_can_edit")
		if provisioningError.MatchString(line) || deprecated {
			t.Error(line)
		}
	}
}

var provisioningError = regexp.MustCompile(`logger=(provisioning|plugin|datasource).*level=error`)

// checkVisitors wants visitors who can neither log in nor save, and reach no more of the data sources than they need.
func checkVisitors(t *testing.T) {
	browser, stop, err := grafana.StartBrowser(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if form, err := browser.Has(string(grafanaURL)+"/login", "input[type=password]"); err != nil || form {
		t.Errorf("the login page asks for a password, or: %v", err)
	}
	for _, test := range []struct{ method, path, body string }{
		{http.MethodPost, "/login", `{"user": "admin", "password": "admin"}`},
		{http.MethodPost, "/api/dashboards/db", `{"dashboard": {"title": "mine"}}`},
		{http.MethodGet, "/api/admin/settings", ""},
		// CVE-2026-42129 and CVE-2026-10601: a viewer reaches what the data source's own API does not offer.
		{http.MethodGet, "/api/datasources/uid/loki/resources/..%2F..%2F..%2Fconfig", ""},
		{http.MethodGet, "/api/datasources/uid/tempo/resources/..%2Fstatus%2Fconfig", ""},
	} {
		request, err := http.NewRequestWithContext(t.Context(), test.method, string(grafanaURL)+test.path, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := engine.Client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode < http.StatusBadRequest {
			t.Errorf("%s %s: %s", test.method, test.path, response.Status)
		}
	}
}

// checkProvisioned wants the dashboard in Grafana as in its file, and asks Grafana for what each panel shows.
func checkProvisioned(t *testing.T, board dashboard.Dashboard) {
	var stored struct {
		Meta      struct{ Provisioned bool }
		Dashboard struct{ Panels []struct{ Title string } }
	}
	if err := grafanaURL.Get(t.Context(), "/api/dashboards/uid/"+board.UID, &stored); err != nil {
		t.Fatal(err)
	}
	if !stored.Meta.Provisioned || len(stored.Dashboard.Panels) != len(board.Panels) {
		t.Errorf("%+v, want %d panels from a file", stored, len(board.Panels))
	}
	for _, panel := range board.All() {
		var queries []json.RawMessage
		for _, target := range panel.Targets {
			if target.Datasource.UID != "tempo" { // which the browser asks: see the pictures
				queries = append(queries, grafanaQuery(t, target.Raw))
			}
		}
		if len(queries) == 0 {
			continue
		}
		stack.Eventually(t, "panel "+panel.Title, func() error { return grafanaURL.Query(t.Context(), queries) })
	}
}

// grafanaQuery adds to a query of a file what the panel adds before it sends it.
func grafanaQuery(t *testing.T, raw json.RawMessage) json.RawMessage {
	t.Helper()
	var query map[string]any
	if err := json.Unmarshal(raw, &query); err != nil {
		t.Fatal(err)
	}
	query["intervalMs"], query["maxDataPoints"] = 5000, 100
	if expr, ok := query["expr"].(string); ok && strings.Contains(expr, "$trace_id") {
		ids, err := grafanaURL.Traces(t.Context(), `{ span:status = error }`)
		if err != nil {
			t.Fatal(err)
		}
		query["expr"] = strings.ReplaceAll(expr, "$trace_id", ids[0])
	}
	content, err := json.Marshal(query)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func readFile(t *testing.T, path ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(append([]string{repository}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
