//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/upkeep/internal/engine"
	"example.com/dice/observability/upkeep/internal/stack"
)

// checkLogLine follows a line on the terminal to its trace in Tempo and its record in Loki.
func checkLogLine(t *testing.T, s *stack.Stack) {
	t.Helper()
	messages := map[string]string{"rolled": "", "roll failed": "STATUS_CODE_ERROR"}
	if s.Stage > "stage4" {
		messages["batch rolled"] = ""
	}
	for message, status := range messages {
		lines := s.Logs(t, "roll", message)
		if len(lines) == 0 {
			t.Fatalf("no line %q on the terminal", message)
		}
		id := fmt.Sprint(lines[0]["trace_id"])

		stack.Eventually(t, "the whole trace of "+message, func() error {
			spans, err := engine.Local.Trace(id)
			if err != nil {
				return err
			}
			path := "GET /roll"
			if message == "batch rolled" {
				path = "GET /roll-async"
			}
			return checkTrace(journeys(s.Stage, path), spans, status)
		})
		stack.Eventually(t, "the record of "+message, func() error {
			records, err := engine.Local.LogQL(fmt.Sprintf(`{service_name="roll"} | trace_id = %q`, id))
			if err == nil && (len(records) != 1 || records[0]["line"] != message) {
				err = fmt.Errorf("records %v", records)
			}
			return err
		})
	}
}

// step is a span of a trace, as far as one can know it before.
type step struct{ service, name, kind string }

// journeys returns the ways that a roll, asked for by this route, takes through the services of a stage. Each step is
// the parent of the next.
func journeys(stage, route string) [][]step {
	user := step{"traffic", route, "CLIENT"}
	rolled := []step{{"roll", route, "SERVER"}, {"roll", "roll die", "INTERNAL"}}
	if stage < "stage2" {
		return [][]step{append([]step{user}, rolled...)}
	}
	page := []step{{"traffic", "POST /", "CLIENT"}, {"frontend", "POST /", "SERVER"}}
	all := [][]step{slices.Concat(page, []step{{"frontend", route, "CLIENT"}}, rolled)}
	if stage > "stage3" {
		answered := step{"die", "GET /dice", "SERVER"}
		all = append(all, []step{rolled[0], {"roll", "GET /dice", "CLIENT"}, answered})
		all = append(all, []step{page[1], {"frontend", "GET /dice", "CLIENT"}, answered})
	}
	return all
}

// checkTrace wants all journeys in a trace. The first has the status.
func checkTrace(journeys [][]step, spans []engine.Span, status string) error {
	for i, journey := range journeys {
		var parent engine.Span
		for j, want := range journey {
			k := slices.IndexFunc(spans, func(s engine.Span) bool {
				return s.Service == want.service && s.Name == want.name && s.Kind == "SPAN_KIND_"+want.kind && (j == 0 || s.Parent == parent.ID)
			})
			if k < 0 {
				return fmt.Errorf("no span %+v below %q among %+v", want, parent.Name, spans)
			}
			parent = spans[k]
			if i == 0 && parent.Status != status {
				return fmt.Errorf("span %s of %s has status %q, want %q", parent.Name, parent.Service, parent.Status, status)
			}
		}
	}
	return checkAttributes(spans)
}

// checkAttributes wants the user in the client's span, and the stable names of HTTP attributes in those of servers.
func checkAttributes(spans []engine.Span) error {
	for _, s := range spans {
		switch {
		case s.Service == "traffic" && !strings.HasPrefix(s.Attributes["traffic.user"], "User "):
			return fmt.Errorf("attributes of the user's span: %v", s.Attributes)
		case s.Kind != "SPAN_KIND_SERVER":
			continue
		}
		for _, name := range []string{"http.request.method", "http.response.status_code", "http.route", "url.scheme", "url.path", "server.address", "client.address"} {
			if s.Attributes[name] == "" {
				return fmt.Errorf("the server span has no %s: %v", name, s.Attributes)
			}
		}
		for name := range s.Attributes {
			if strings.HasPrefix(name, "net.") || name == "http.method" || name == "http.status_code" {
				return fmt.Errorf("the server span still has %s", name)
			}
		}
	}
	return nil
}
