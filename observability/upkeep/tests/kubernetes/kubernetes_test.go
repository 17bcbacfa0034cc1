//go:build e2e

package kubernetes

import (
	"fmt"
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
	t.Run("disturbances", func(t *testing.T) { disturbances(t, engines, page) })
	t.Run("README", func(t *testing.T) {
		commands(t)
		ready(t)
		queries(t, forwardEngines(t)) // again, since a drained node has taken the addresses with it
	})
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
