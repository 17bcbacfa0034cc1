//go:build e2e

package kubernetes

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"example.com/dice/observability/internal/readme"
	"example.com/dice/observability/upkeep/internal/engine"
	"example.com/dice/observability/upkeep/internal/probe"
)

var creates = regexp.MustCompile(` create job (\S+)`)

// commands runs the README's commands, one after the other. One that it does not know is an error, so that none goes
// unchecked.
func commands(t *testing.T) {
	text, err := readme.Read(directory + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range text.Commands() {
		if job := creates.FindStringSubmatch(line); job != nil {
			kubectl(t, "delete", "job", job[1], "--ignore-not-found")
		}
		switch {
		case strings.HasPrefix(line, "kind "), strings.Contains(line, "docker compose build"): // before the test
		case strings.HasPrefix(line, "./run up"), strings.Contains(line, "port-forward"): // up, forward
		case strings.Contains(line, " logs "): // of a container that may not have started yet
			eventually(t, line, func() error {
				_, err := run("sh", "-c", line)
				return err
			})
		case strings.HasPrefix(line, "kubectl "):
			must(t, "sh", "-c", "cd "+directory+" && "+line)
		default:
			t.Errorf("no test knows the command %q", line)
		}
	}
}

// queries wants each query of the README to find something, or nothing if it says so.
func queries(t *testing.T, engines engines) {
	text, err := readme.Read(directory + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range text.Of("promql", "logql", "traceql") {
		eventually(t, block.Text, func() error {
			found, err := engines.ask(block.Language, block.Text)
			if err == nil && (found == 0) != (block.Argument == "empty") {
				err = fmt.Errorf("%d results", found)
			}
			return err
		})
	}
}

// ask returns how many series, streams or traces a query finds.
func (e engines) ask(language, query string) (int, error) {
	var reply struct {
		Data   struct{ Result []json.RawMessage }
		Traces []json.RawMessage
	}
	var err error
	switch language {
	case "promql":
		err = engine.GetJSON(probe.Dice, e.Prometheus+"/api/v1/query", url.Values{"query": {query}}, &reply)
	case "logql":
		err = engine.GetJSON(probe.Dice, e.Loki+"/loki/api/v1/query_range", url.Values{"query": {query}}, &reply)
	default:
		err = engine.GetJSON(probe.Dice, e.Tempo+"/api/search", url.Values{"q": {query}}, &reply)
	}
	return len(reply.Data.Result) + len(reply.Traces), err
}
