package stages

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"example.com/dice/observability/internal/freeport"
)

const (
	reportWidth   = 720 // CSS pixels
	incidentWidth = 980
	lineHeight    = 19
)

// TestReportPictures retakes the pictures of the local run's report, if PICTURES is set.
func TestReportPictures(t *testing.T) {
	if os.Getenv("PICTURES") == "" {
		t.Skip("PICTURES is not set")
	}
	browser := startBrowser(t)
	for _, name := range stageNames(t) {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
			defer cancel()
			command := exec.CommandContext(ctx, "go", "run", "./observability/local", "-once", name)
			command.Dir = root
			command.Env = append(os.Environ(), append(freeport.Variables(), "SEED=1", "CLICOLOR_FORCE=1", "MAX_ROLLS_PER_USER=50")...)
			output, err := command.Output()
			if err != nil {
				t.Fatal(err)
			}
			start := regexp.MustCompile(`\S*The slowest request`).FindIndex(output)
			if start == nil {
				t.Fatalf("no report:\n%s", output)
			}
			report := strings.TrimSpace(string(output[start[0]:]))
			browser.saveTerminal(t, name, "report.png", report, reportWidth)
		})
	}
}

// TestIncidentPicture retakes the picture of an incident, if PICTURES is set: the symptom, one table of the report, and why the first
// answer is wrong. It fails if that answer is right, one time in four.
func TestIncidentPicture(t *testing.T) {
	if os.Getenv("PICTURES") == "" {
		t.Skip("PICTURES is not set")
	}
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, "go", "run", "./observability/incident", "stage1-roll", "trace-in-metric")
	command.Dir = root
	command.Env = append(os.Environ(), append(freeport.Variables(), "CLICOLOR_FORCE=1")...)
	command.Stdin = strings.NewReader("a\n")
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	part := regexp.MustCompile(`(?s)^(.*?)\n\n\S*· .*\n\n(\S*Metrics\S*\n.*?)\n\n.*\n(\S*Question 1 .*?a to d: )(No\. .*?a to d: )`).FindSubmatch(output)
	if part == nil {
		t.Fatalf("no symptom, table, question or wrong answer; try again:\n%s", output)
	}
	shown := fmt.Sprintf("$ go run ./observability/incident stage1-roll\n%s\n\n…\n\n%s\n\n…\n\n%sa\n%s", part[1], part[2], part[3], part[4])
	startBrowser(t).saveTerminal(t, "stage1-roll", "incident.png", shown, incidentWidth)
}

// saveTerminal writes a picture of a terminal with the text to a file in the stage's folder docs.
func (b browser) saveTerminal(t *testing.T, stage, name, text string, width int64) {
	t.Helper()
	server := httptest.NewServer(terminal(text))
	defer server.Close()
	height := int64(strings.Count(text, "\n")+3) * lineHeight
	shown := b.open(t, server.URL, chromedp.EmulateViewport(width, height, chromedp.EmulateScale(1.5)))
	shown.savePicture(stage, name)
}

var escape = regexp.MustCompile(`\x1b\[([0-9;]*)m`)

// terminal serves a page that looks like a terminal with this text, which may have escape sequences for colors.
func terminal(text string) http.Handler {
	styles := map[string]string{"1": "font-weight:bold", "2": "opacity:.6", "91": "color:#f47067", "94": "color:#6cb6ff"}
	body := escape.ReplaceAllStringFunc(html.EscapeString(text), func(sequence string) string {
		if style := styles[escape.FindStringSubmatch(sequence)[1]]; style != "" {
			return fmt.Sprintf("<span style=%q>", style)
		}
		return "</span>"
	})
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, `<body style="margin:0;padding:%dpx;background:#1c2128;color:#cdd9e5">
			<pre style="margin:0;white-space:pre-wrap;font:14px/%dpx monospace">%s</pre>`, lineHeight, lineHeight, body)
	})
}
