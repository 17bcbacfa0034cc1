//go:build e2e

package kubernetes

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/upkeep/internal/engine"
	"example.com/dice/observability/upkeep/internal/probe"
)

func TestKubernetes(t *testing.T) {
	up(t)
	engines := forwardEngines(t)
	page := forward(t, "frontend", "8080")

	t.Run("traffic", func(t *testing.T) {
		got := traffic(t, "test-"+randomHex(3), "NUM_USERS=5", "MAX_ROLLS_PER_USER=10")
		if replies := got.Replies["200"] + got.Replies["500"]; got.Rolls == 0 || replies != got.Rolls {
			t.Errorf("replies %v to %d rolls, want 200, and 500 where a die fails", got.Replies, got.Rolls)
		}
	})
	t.Run("one request", func(t *testing.T) { oneRequest(t, engines, page) })
	t.Run("run up again", runUpAgain) // before the disturbances, which change what is deployed
	t.Run("disturbances", func(t *testing.T) { disturbances(t, engines, page) })
	t.Run("alerts", func(t *testing.T) { alerts(t, engines) })
	t.Run("README", func(t *testing.T) {
		commands(t)
		ready(t)
		queries(t, engines)
	})
}

// alerts wants the alerts on the collectors not to fire because of a rolling update, and to fire when Loki refuses a record.
func alerts(t *testing.T, engines engines) {
	for name, state := range engines.alerts(t) {
		if state != "inactive" {
			t.Errorf("%s is %s", name, state)
		}
	}
	tooOld := `{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "1", "body": {"stringValue": "too old for Loki"}}]}]}]}`
	response, err := engine.Client.Post(forward(t, "collector", "4318")+"/v1/logs", "application/json", strings.NewReader(tooOld))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("the agent's response is %s", response.Status)
	}
	eventually(t, "the alert on failed exports", func() error {
		if state := engines.alerts(t)["ExportsFail"]; state != "firing" {
			return fmt.Errorf("it is %s", state)
		}
		return nil
	})
}

// alerts returns the state of each alert on the collectors.
func (e engines) alerts(t *testing.T) map[string]string {
	t.Helper()
	var reply struct {
		Data struct {
			Groups []struct {
				Name  string
				Rules []struct{ Name, LastError, State string }
			}
		}
	}
	if err := engine.GetJSON(probe.Dice, e.Prometheus+"/api/v1/rules", nil, &reply); err != nil {
		t.Fatal(err)
	}
	states := make(map[string]string)
	for _, group := range reply.Data.Groups {
		for _, rule := range group.Rules {
			if rule.LastError != "" {
				t.Errorf("%s: %s", rule.Name, rule.LastError)
			}
			if group.Name == "collectors" {
				states[rule.Name] = rule.State
			}
		}
	}
	if len(states) < 2 {
		t.Fatalf("the alerts on the collectors are %v", states)
	}
	return states
}

// runUpAgain wants a changed configuration to replace the pods that read it and no others, and the other kind of engines to be
// refused.
func runUpAgain(t *testing.T) {
	if os.Getenv("KUBERNETES_KEEP") != "" {
		t.Skip("this would change what is deployed")
	}
	changed := t.TempDir()
	for _, name := range []string{"observability/kubernetes", "observability/collector", "observability/grafana", "observability/loki", "observability/tempo", "stage6-usage"} {
		if err := os.CopyFS(filepath.Join(changed, name), os.DirFS(filepath.Join(directory, "../..", name))); err != nil {
			t.Fatal(err)
		}
	}
	agent, err := os.OpenFile(filepath.Join(changed, "observability/kubernetes/base/agent.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := agent.WriteString("# changed\n"); err != nil {
		t.Fatal(err)
	}
	if err := agent.Close(); err != nil {
		t.Fatal(err)
	}
	before := uids(t)
	must(t, filepath.Join(changed, "observability/kubernetes/run"), ways()[0]...)
	after := uids(t)
	for name := range before {
		if isAgent := strings.HasPrefix(name, "collector-"); (after[name] == before[name]) == isAgent {
			t.Errorf("the pod %s is replaced: %t, want %t", name, !isAgent, isAgent)
		}
	}
	other := ways()[1]
	if _, err := run(directory+"/run", other...); err == nil || !strings.Contains(err.Error(), "first run './run down'") {
		t.Errorf("run %v over %v: %v", other, ways()[0], err)
	}
}

// uids returns the ids of the pods that run, by name.
func uids(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, p := range pods(t, "") {
		if p.Metadata.DeletionTimestamp == "" {
			all[p.Metadata.Name] = p.Metadata.UID
		}
	}
	return all
}

// oneRequest finds a request in all three engines, with the pods that took part.
func oneRequest(t *testing.T, engines engines, page string) {
	start := time.Now().Add(-time.Second)
	request := signIn(t, page).run(3)
	if request.err != nil || request.status != 200 {
		t.Fatal(request)
	}
	var spans []engine.Span
	eventually(t, "the trace", func() (err error) {
		if spans, err = engines.Trace(request.trace); err == nil {
			err = request.complete(spans)
		}
		return err
	})
	for _, service := range []string{"frontend", "roll", "die"} {
		i := slices.IndexFunc(spans, func(s engine.Span) bool { return s.Service == service })
		resource := spans[i].Resource
		all := pods(t, service)
		p := slices.IndexFunc(all, func(p pod) bool { return p.Metadata.Name == resource["k8s.pod.name"] })
		if p < 0 {
			t.Errorf("%s: no pod is called %q", service, resource["k8s.pod.name"])
			continue
		}
		for name, want := range map[string]string{
			"k8s.namespace.name":  "dice",
			"k8s.node.name":       all[p].Spec.NodeName,
			"k8s.pod.uid":         all[p].Metadata.UID,
			"k8s.container.name":  service,
			"service.instance.id": "dice." + all[p].Metadata.Name + "." + service,
			"service.version":     all[p].Metadata.Labels["app.kubernetes.io/version"],
		} {
			if got := resource[name]; got != want {
				t.Errorf("%s: %s is %q, want %q", service, name, got, want)
			}
		}
		owner := "k8s.deployment.name"
		if service == "die" {
			owner = "k8s.statefulset.name"
		}
		if resource[owner] != service || resource["container.image.name"] == "" {
			t.Errorf("%s: resource %v", service, resource)
		}
		eventually(t, "log records of "+service, func() error {
			records, err := engines.LogQLBetween(probe.Dice, fmt.Sprintf(`{service_name=%q} | trace_id = %q`, service, request.trace), start, time.Now().Add(time.Minute))
			if err == nil && (len(records) == 0 || records[0]["k8s_pod_name"] != all[p].Metadata.Name) {
				err = fmt.Errorf("records %v, want the pod %s", records, all[p].Metadata.Name)
			}
			return err
		})
		eventually(t, "metrics of "+service, func() error {
			got, err := engines.PromQL(fmt.Sprintf(`http_server_request_duration_seconds_count{k8s_pod_name=%q, service_name=%q, %s=%q}`,
				all[p].Metadata.Name, service, strings.ReplaceAll(owner, ".", "_"), service))
			if err == nil && len(got) == 0 {
				err = fmt.Errorf("no series of %s", all[p].Metadata.Name)
			}
			return err
		})
	}
}
