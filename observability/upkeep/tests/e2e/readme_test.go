//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/internal/readme"
	"example.com/dice/observability/upkeep/internal/engine"
	"example.com/dice/observability/upkeep/internal/shell"
	"example.com/dice/observability/upkeep/internal/stack"
)

// source returns the data source that answers a query.
func source(query readme.Block) string {
	if query.Tenant != "" {
		return query.Tenant
	}
	return map[string]string{"promql": "prometheus", "logql": "loki", "traceql": "tempo"}[query.Language]
}

func readText(t *testing.T, stage string) readme.Readme {
	t.Helper()
	text, err := readme.Read(filepath.Join(repository, stage, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func queries(t *testing.T, stage string) []readme.Block {
	t.Helper()
	return readText(t, stage).Of("promql", "logql", "traceql")
}

// checkReadme wants data for each query of the README, and none for those that show the symptom of a lab. It wants
// data for commands that ask Loki, too.
func checkReadme(t *testing.T, stage string) {
	t.Helper()
	for _, query := range queries(t, stage) {
		if query.Argument == "" {
			stack.Eventually(t, "a query of the README", func() error { return hasData(source(query), query.Text) })
		} else if err := shows(query); !errors.Is(err, errNoData) {
			t.Errorf("%s without its fault: want no data, got: %v", query.Argument, err)
		}
	}
	for _, command := range readText(t, stage).Commands() {
		if !strings.Contains(command, engine.Local.Loki+"/") {
			continue
		}
		stack.Eventually(t, command, func() error {
			output, err := exec.CommandContext(t.Context(), "sh", "-c", command).Output()
			if err == nil && !strings.Contains(string(output), `"result":[{`) {
				err = fmt.Errorf("%w: %s", errNoData, output)
			}
			return err
		})
	}
}

// shows returns errNoData if a symptom is not there. A pause of the machine makes some spans long without any fault, so a
// search for long ones has to find more than a few.
func shows(symptom readme.Block) error {
	if !strings.Contains(symptom.Text, "span:duration >") {
		return hasData(source(symptom), symptom.Text)
	}
	const few = 5
	ids, err := engine.Local.TraceQL(symptom.Text)
	if err == nil && len(ids) <= few {
		err = fmt.Errorf("%w but %d traces: %s", errNoData, len(ids), symptom.Text)
	}
	return err
}

// TestLab puts each fault in, in a copy of the repository, and wants its symptoms to show. A fault is a patch, a
// setting such as LATENCY=500ms, a command of Docker under traffic, or requests.
func TestLab(t *testing.T) {
	for _, stage := range stack.Stages(t, repository) {
		symptoms := make(map[string][]readme.Block)
		for _, query := range queries(t, stage) {
			if query.Argument != "" {
				symptoms[query.Argument] = append(symptoms[query.Argument], query)
			}
		}
		for _, fault := range slices.Sorted(maps.Keys(symptoms)) {
			t.Run(stage+" "+fault, func(t *testing.T) {
				settings := []string{"NUM_USERS=5", "MAX_ROLLS_PER_USER=60"}
				switch {
				case strings.HasSuffix(fault, ".patch"):
					withPatch(t, stage, fault, func(root string) {
						stack.Start(t, root, stage, settings...)
						show(t, symptoms[fault])
					})
				case strings.HasPrefix(fault, "docker "):
					s := stack.Start(t, repository, stage, settings...)
					s.WaitUntilTrafficStarts(t)
					s.Docker(t, strings.Fields(fault)[1:]...)
					show(t, symptoms[fault])
					s.Docker(t, strings.Fields(strings.Replace(fault, " stop ", " start ", 1))[1:]...)
					stack.Eventually(t, "a roll after the service was started again", rollOnce)
				case strings.HasPrefix(fault, "seq "):
					s := stack.Start(t, repository, stage, append(settings, "OTEL_BSP_MAX_QUEUE_SIZE=2048")...)
					s.WaitUntilTrafficStarts(t)
					shell.Run(t, ".", fault)
					show(t, symptoms[fault])
				default:
					stack.Start(t, repository, stage, append(settings, fault)...)
					show(t, symptoms[fault])
				}
			})
		}
	}
}

// rollOnce posts the page's form, and wants a page with a roll and with all dice. Where users sign in, it does so first.
func rollOnce() error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	user := &http.Client{Jar: jar, Timeout: engine.Client.Timeout}
	signedIn, err := user.PostForm(stack.Frontend+"/sign-in", url.Values{"name": {"Ada"}})
	if err != nil {
		return err
	}
	signedIn.Body.Close()
	response, err := user.PostForm(stack.Frontend+"/", url.Values{"die": {"fair"}})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || !strings.Contains(string(page), `<option value="risky">`)) {
		err = fmt.Errorf("%s: %s", response.Status, page)
	}
	return err
}

// show wants each symptom, while the traffic goes on or after it.
func show(t *testing.T, symptoms []readme.Block) {
	t.Helper()
	for _, symptom := range symptoms {
		stack.Eventually(t, symptom.Text, func() error { return shows(symptom) })
	}
}

// withPatch applies a patch in a copy of the repository. The reverse patch must bring back what there was.
func withPatch(t *testing.T, stage, patch string, do func(root string)) {
	t.Helper()
	copied := t.TempDir()
	shell.Run(t, ".", "cp --recursive "+repository+" "+copied+"/dice")
	root := filepath.Join(copied, "dice")
	directory := filepath.Join(root, stage)
	shell.Run(t, directory, "git apply "+patch)
	shell.Run(t, ".", "! diff --recursive --brief "+filepath.Join(repository, stage)+" "+directory)
	do(root)
	shell.Run(t, directory, "git apply --reverse "+patch)
	shell.Run(t, ".", "diff --recursive "+filepath.Join(repository, stage)+" "+directory)
}
