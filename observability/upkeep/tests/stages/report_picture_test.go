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
	reportWidth = 720 // CSS pixels
	lineHeight  = 19
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
			server := httptest.NewServer(terminal(report))
			defer server.Close()
			height := int64(strings.Count(report, "\n")+5) * lineHeight
			shown := browser.open(t, server.URL, chromedp.EmulateViewport(reportWidth, height, chromedp.EmulateScale(1.5)))
			shown.savePicture(name, "report.png")
		})
	}
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
