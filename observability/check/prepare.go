package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.com/dice/observability/internal/checklist"
	"example.com/dice/observability/internal/compose"
)

// logDelay is how long services keep log records before they send them. See [stop].
const logDelay = 2 * time.Second

// selfObservation makes the SDK count, among other things, the spans that were started and not ended.
const selfObservation = "OTEL_GO_X_OBSERVABILITY=true"

// prepare makes the services emit what the checklist needs to know in addition. The directory is for temporary files.
func prepare(stage *compose.Stage, root, directory string) error {
	for i, service := range stage.Services {
		stage.Services[i].Environment = slices.Concat(service.Environment, []string{selfObservation, fmt.Sprintf("OTEL_BLRP_SCHEDULE_DELAY=%d", logDelay.Milliseconds())})
	}
	overlay, err := panicking(root, directory)
	stage.BuildFlags = append(stage.BuildFlags, overlay)
	return err
}

// panicking writes into a directory what makes the handler of unknown paths panic on request, in code that uses shared/httpjson. It returns a
// flag for go build.
func panicking(root, directory string) (flag string, err error) {
	file := filepath.Join(root, "shared", "httpjson", "httpjson.go")
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading a shared package: %w", err)
	}
	const begin = "\nfunc NotFound(w http.ResponseWriter, r *http.Request) {\n"
	before, after, found := strings.Cut(string(content), begin)
	if !found {
		return "", fmt.Errorf("%s has no function NotFound", file)
	}
	text := fmt.Sprintf("%s%s\tif r.URL.Query().Has(%q) {\n\t\tpanic(\"the checker made this handler panic\")\n\t}\n%s", before, begin, checklist.Panic, after)
	replacement := filepath.Join(directory, "httpjson.go")
	if err := os.WriteFile(replacement, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("writing an overlay: %w", err)
	}
	replace := map[string]string{file: replacement}
	if real, err := filepath.EvalSymlinks(file); err == nil {
		replace[real] = replacement
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", fmt.Errorf("writing an overlay: %w", err)
	}
	name := filepath.Join(directory, "overlay.json")
	if err := os.WriteFile(name, overlay, 0o600); err != nil {
		return "", fmt.Errorf("writing an overlay: %w", err)
	}
	return "-overlay=" + name, nil
}
