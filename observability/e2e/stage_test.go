//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestStage brings up every stage as its README says, waits for its traffic, and looks for what the traffic
// did in all places where it must show.
func TestStage(t *testing.T) {
	for _, stage := range stages(t) {
		t.Run(stage, func(t *testing.T) {
			s := start(t, repository, stage)
			reportFirstData(t, s.started)
			t.Run("alert", checkAlert)
			generated := s.waitForTraffic(t)
			reportFootprint(t, s)

			t.Run("terminal", func(t *testing.T) { checkTerminal(t, s) })
			t.Run("totals", func(t *testing.T) { checkTotals(t, generated) })
			t.Run("panels", func(t *testing.T) { checkPanels(t, stage) })
			t.Run("queries of the README", func(t *testing.T) { checkReadme(t, stage) })
			t.Run("log line to trace", func(t *testing.T) { checkLogLine(t, s) })
			t.Run("exemplar to trace", checkExemplars)
			t.Run("service graph", checkServiceGraph)
			t.Run("names of odd requests", checkOddRequests)
			t.Run("collector's own metrics", checkCollectorMetrics)
		})
	}
}

// reportFirstData logs how long after docker compose up, with all images present, the first of each signal can
// be queried.
func reportFirstData(t *testing.T, start time.Time) {
	t.Helper()
	var group sync.WaitGroup
	for what, query := range map[string]func() (int, error){
		"metric": func() (int, error) { return total(`http_server_request_duration_seconds_count`) },
		"log": func() (int, error) {
			records, err := logQL(`{service_name="roll"}`)
			return len(records), err
		},
		"trace": func() (int, error) {
			ids, err := traceQL(`{ name = "roll die" }`)
			return len(ids), err
		},
	} {
		group.Go(func() {
			for deadline := start.Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
				if n, err := query(); err == nil && n > 0 {
					t.Logf("first %s: %.1f s after docker compose up began", what, time.Since(start).Seconds())
					return
				}
			}
			t.Errorf("no %s within 2 minutes", what)
		})
	}
	group.Wait()
}

// checkTerminal wants the stage's services on the terminal of docker compose up, without the engines' noise,
// and at the end where to look next.
func checkTerminal(t *testing.T, s *stack) {
	t.Helper()
	engines := []string{"collector", "prometheus", "loki", "tempo", "grafana"}
	for line := range strings.Lines(s.terminal.String()) {
		container, _, found := strings.Cut(line, "|")
		service := strings.TrimSuffix(strings.TrimSpace(container), "-1")
		if found && slices.Contains(engines, service) {
			t.Errorf("the terminal shows the engines' noise: %s", line)
		}
	}
	last := s.logs(t, "traffic", "traffic generation is complete")
	if got := last[0]["grafana"]; got != "http://localhost:3000" {
		t.Errorf("the last line of the traffic points to %v", got)
	}
}

// checkTotals compares what the generator counted with what each engine has.
func checkTotals(t *testing.T, generated summary) {
	t.Helper()
	totals := map[string]func() (int, error){
		"http.server.request.duration": func() (int, error) {
			return total(`http_server_request_duration_seconds_count{service_name="roll"}`)
		},
		"http.client.request.duration": func() (int, error) {
			return total(`http_client_request_duration_seconds_count{service_name="traffic"}`)
		},
		"dice.rolls":     func() (int, error) { return total(`dice_rolls_total`) },
		"dice.roll.wait": func() (int, error) { return total(`dice_roll_wait_seconds_count`) },
		"span metrics of roll die": func() (int, error) {
			return total(`traces_span_metrics_calls_total{span_name="roll die"}`)
		},
		"traces in Tempo": func() (int, error) {
			ids, err := traceQL(`{ name = "roll die" }`)
			return len(ids), err
		},
		"log records in Loki": func() (int, error) {
			records, err := logQL(`{service_name="roll"} | die_identifier != ""`)
			return len(records), err
		},
	}
	for what, query := range totals {
		eventually(t, what, func() error { return equals(query, generated.Rolls) })
	}
	others, err := traceQL(`{ resource.service.name = "roll" && kind = server && name != "GET /roll" }`)
	if err != nil || len(others) > 0 {
		t.Errorf("health checks are traced: %v, %v", others, err)
	}
	for status, want := range generated.Replies {
		eventually(t, "replies with status "+status, func() error {
			return equals(func() (int, error) {
				return total(fmt.Sprintf(`http_server_request_duration_seconds_count{http_response_status_code=%q}`, status))
			}, want)
		})
	}
}

func equals(query func() (int, error), want int) error {
	got, err := query()
	if err == nil && got != want {
		err = fmt.Errorf("got %d, want %d", got, want)
	}
	return err
}

// checkLogLine follows a line on the terminal to its trace in Tempo and its record in Loki.
func checkLogLine(t *testing.T, s *stack) {
	t.Helper()
	for message, status := range map[string]string{"rolled": "", "roll failed": "STATUS_CODE_ERROR"} {
		lines := s.logs(t, "roll", message)
		if len(lines) == 0 {
			t.Fatalf("no line %q on the terminal", message)
		}
		id := fmt.Sprint(lines[0]["trace_id"])

		eventually(t, "the whole trace of "+message, func() error {
			spans, err := trace(id)
			if err != nil {
				return err
			}
			return checkTrace(spans, status)
		})
		eventually(t, "the record of "+message, func() error {
			records, err := logQL(fmt.Sprintf(`{service_name="roll"} | trace_id = %q`, id))
			if err == nil && (len(records) != 1 || records[0]["line"] != message) {
				err = fmt.Errorf("records %v", records)
			}
			return err
		})
	}
}

// checkTrace wants the user's client span, below it the service's, below that the roll.
func checkTrace(spans []span, status string) error {
	find := func(service, name, kind string) (span, error) {
		i := slices.IndexFunc(spans, func(s span) bool { return s.Service == service && s.Name == name && s.Kind == kind })
		if i < 0 {
			return span{}, fmt.Errorf("no span %s of %s among %+v", name, service, spans)
		}
		return spans[i], nil
	}
	user, err := find("traffic", "GET /roll", "SPAN_KIND_CLIENT")
	if err != nil {
		return err
	}
	server, err := find("roll", "GET /roll", "SPAN_KIND_SERVER")
	if err != nil {
		return err
	}
	rolled, err := find("roll", "roll die", "SPAN_KIND_INTERNAL")
	if err != nil {
		return err
	}
	if user.Parent != "" || server.Parent != user.ID || rolled.Parent != server.ID {
		return fmt.Errorf("parents do not match: %+v", spans)
	}
	if server.Status != status || rolled.Status != status {
		return fmt.Errorf("status %q and %q, want %q", server.Status, rolled.Status, status)
	}
	if !strings.HasPrefix(user.Attributes["user.label"], "User ") {
		return fmt.Errorf("attributes of the client span: %v", user.Attributes)
	}
	for _, name := range []string{"http.request.method", "http.response.status_code", "http.route", "url.scheme", "server.address"} {
		if server.Attributes[name] == "" {
			return fmt.Errorf("the server span has no %s: %v", name, server.Attributes)
		}
	}
	for name := range server.Attributes {
		if strings.HasPrefix(name, "net.") || name == "http.method" || name == "http.status_code" {
			return fmt.Errorf("the server span still has %s", name)
		}
	}
	return nil
}

// reportFootprint logs the memory of each container and the size of each of the stage's images.
func reportFootprint(t *testing.T, s *stack) {
	t.Helper()
	ids := strings.Fields(s.compose(t, "ps", "--quiet"))
	t.Logf("memory after the traffic:\n%s", s.docker(t,
		append([]string{"stats", "--no-stream", "--format", "{{.Name}}\t{{.MemUsage}}"}, ids...)...))
	t.Logf("images:\n%s", s.docker(t, "image", "ls", "--filter", "reference="+s.stage+"-*", "--format", "{{.Repository}}\t{{.Size}}"))
}
