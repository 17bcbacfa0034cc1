//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/upkeep/internal/engine"
	"example.com/dice/observability/upkeep/internal/stack"
)

const repository = "../../../.."

// TestStage brings up every stage as its README says, waits for its traffic, and looks for what the traffic
// did in all places where it must show. The traffic is shorter in all stages but the last.
func TestStage(t *testing.T) {
	for _, stage := range stack.Stages(t, repository) {
		t.Run(stage, func(t *testing.T) {
			var settings []string
			if stage < "stage6" {
				settings = append(settings, "MAX_ROLLS_PER_USER=150")
			}
			s := stack.Start(t, repository, stage, settings...)
			t.Run("alert", checkAlert)
			generated := s.WaitForTraffic(t)

			t.Run("terminal", func(t *testing.T) { checkTerminal(t, s) })
			t.Run("totals", func(t *testing.T) { checkTotals(t, stage, generated) })
			t.Run("panels", func(t *testing.T) { checkPanels(t, stage) })
			t.Run("queries of the README", func(t *testing.T) { checkReadme(t, stage) })
			t.Run("log line to trace", func(t *testing.T) { checkLogLine(t, s) })
			t.Run("exemplar to trace", checkExemplars)
			t.Run("names of odd requests", checkOddRequests)
			t.Run("collector's own metrics", checkCollectorMetrics)
			if !slices.Contains(strings.Fields(os.Getenv("E2E_WITHOUT")), "grafana") {
				t.Run("Grafana", func(t *testing.T) { checkGrafana(t, s) })
			}
			t.Run("three roll services", func(t *testing.T) { checkInstances(t, s) })
		})
	}
}

// checkTerminal wants the stage's services on the terminal of docker compose up, without the engines' noise,
// and at the end where to look next.
func checkTerminal(t *testing.T, s *stack.Stack) {
	t.Helper()
	engines := []string{"collector", "prometheus", "loki", "tempo", "grafana"}
	for line := range strings.Lines(s.Terminal.String()) {
		container, _, found := strings.Cut(line, "|")
		service := strings.TrimSuffix(strings.TrimSpace(container), "-1")
		if found && slices.Contains(engines, service) {
			t.Errorf("the terminal shows the engines' noise: %s", line)
		}
	}
	last := s.Logs(t, "traffic", "traffic generation is complete")
	if got := last[0]["grafana"]; got != "http://localhost:3000" {
		t.Errorf("the last line of the traffic points to %v", got)
	}
}

// checkTotals compares what the generator counted with what each engine has.
func checkTotals(t *testing.T, stage string, generated stack.Summary) {
	t.Helper()
	totals := map[string]func() (int, error){
		"traces in Tempo": func() (int, error) {
			ids, err := engine.Local.TraceQL(`{ name = "roll die" }`)
			return len(ids), err
		},
		"log records in Loki": func() (int, error) {
			records, err := engine.Local.LogQL(`{service_name="roll"} | die_identifier != ""`)
			return len(records), err
		},
	}
	for what, query := range totals {
		stack.Eventually(t, what, func() error { return equals(query, generated.Rolls) })
	}
	for what, query := range map[string]string{
		"dice.rolls":                        `dice_rolls_total`,
		"dice.roll.wait and canceled rolls": `{__name__=~"dice_roll_wait_seconds_count|dice_rolls_total",dice_roll_outcome=~"|canceled"}`,
		"span metrics of roll die":          `traces_span_metrics_calls_total{span_name="roll die"}`,
	} {
		stack.Eventually(t, what, func() error {
			return equals(func() (int, error) { return engine.Local.Total(query) }, generated.AllDice())
		})
	}
	for status, want := range generated.Replies {
		stack.Eventually(t, "replies with status "+status, func() error {
			return equals(func() (int, error) {
				return engine.Local.Total(fmt.Sprintf(`http_server_request_duration_seconds_count{service_name="roll",http_response_status_code=%q}`, status))
			}, want)
		})
	}
	checkCalls(t, stage, generated)
}

// checkCalls wants each declared call at its client and at its server, and none of a health check.
func checkCalls(t *testing.T, stage string, generated stack.Summary) {
	t.Helper()
	want, err := declared.Read(repository, stage)
	if err != nil {
		t.Fatal(err)
	}
	from, to := make(map[string]int), make(map[string]int)
	for _, call := range want.Calls {
		n := call.Count(generated.Rolls, generated.Users)
		from[call.Client] += n
		to[call.Server] += n
		edge := fmt.Sprintf(`traces_service_graph_request_total{client=%q,server=%q}`, call.Client, call.Server)
		stack.Eventually(t, edge, func() error {
			return equals(func() (int, error) { return engine.Local.Total(edge) }, n)
		})
	}
	for end, calls := range map[string]map[string]int{"client": from, "server": to} {
		for service, want := range calls {
			series := fmt.Sprintf(`http_%s_request_duration_seconds_count{service_name=%q}`, end, service)
			stack.Eventually(t, series, func() error {
				return equals(func() (int, error) { return engine.Local.Total(series) }, want)
			})
			spans := fmt.Sprintf(`traces_span_metrics_calls_total{service_name=%q,span_kind="SPAN_KIND_%s"}`, service, strings.ToUpper(end))
			stack.Eventually(t, spans, func() error {
				return equals(func() (int, error) { return engine.Local.Total(spans) }, want)
			})
		}
	}
}

// checkInstances runs three roll services, and wants requests at each.
func checkInstances(t *testing.T, s *stack.Stack) {
	t.Helper()
	s.Env = append(s.Env, "ROLL_PORT=8091-8093")
	s.Compose(t, "up", "--detach", "--no-deps", "--scale", "roll=3", "roll")
	s.Traffic(t, 10, 25, func() {
		stack.Eventually(t, "three instances", func() error {
			const instances = `count(sum by (instance) (rate(http_server_request_duration_seconds_count{service_name="roll"}[20s])) > 0)`
			return equals(func() (int, error) { return engine.Local.Total(instances) }, 3)
		})
	})
}

func equals(query func() (int, error), want int) error {
	got, err := query()
	if err == nil && got != want {
		err = fmt.Errorf("got %d, want %d", got, want)
	}
	return err
}
