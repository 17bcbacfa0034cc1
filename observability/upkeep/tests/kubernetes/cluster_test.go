//go:build e2e

package kubernetes

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

const directory = "../../../kubernetes"

// up puts everything on the cluster as the README says, and has the test take it away at its end.
func up(t *testing.T) {
	t.Helper()
	if os.Getenv("KUBECONFIG") == "" && os.Getenv("CI") == "" {
		t.Skip("KUBECONFIG names no cluster")
	}
	if os.Getenv("KUBERNETES_KEEP") == "" {
		if _, err := run("kubectl", "get", "namespace", "dice"); err == nil {
			t.Fatal("the namespace dice exists, and this test would delete it; with KUBERNETES_KEEP=1 it leaves it alone")
		}
		t.Cleanup(func() { must(t, directory+"/run", "down") })
		must(t, directory+"/run", ways()[0]...)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("pods:\n%s", must(t, "kubectl", "--namespace=dice", "get", "pods", "--output=wide"))
		}
	})
}

// ways returns the arguments of run that deploy what is tested, and those that deploy the other kind of engines.
func ways() [2][]string {
	charts, plain := []string{"up"}, []string{"up", "plain"}
	if os.Getenv("KUBERNETES_ENGINES") == "charts" {
		return [2][]string{charts, plain}
	}
	return [2][]string{plain, charts}
}

// ready waits for everything that has replicas.
func ready(t *testing.T) {
	t.Helper()
	for name := range strings.FieldsSeq(kubectl(t, "get", "deployments,statefulsets,daemonsets", "--output=name")) {
		kubectl(t, "rollout", "status", name, "--timeout=3m")
	}
}

// kubectl runs kubectl in the namespace of the services, and returns its standard output.
func kubectl(t *testing.T, arguments ...string) string {
	t.Helper()
	return must(t, "kubectl", append([]string{"--namespace=dice"}, arguments...)...)
}

// must is run for commands that have to succeed.
func must(t *testing.T, name string, arguments ...string) string {
	t.Helper()
	output, err := run(name, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	return output
}

func run(name string, arguments ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	command := exec.Command(name, arguments...)
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", command, err, &stdout, &stderr)
	}
	return stdout.String(), nil
}

var forwarding = regexp.MustCompile(`^Forwarding from (127\.0\.0\.1:\d+)`)

// forward makes a service's port reachable at the address that it returns, until the test ends.
func forward(t *testing.T, service, port string) string {
	t.Helper()
	command := exec.Command("kubectl", "--namespace=dice", "port-forward", "service/"+service, ":"+port)
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if match := forwarding.FindStringSubmatch(lines.Text()); match != nil {
			go func() {
				for lines.Scan() { // so that kubectl is never blocked
				}
			}()
			return "http://" + match[1]
		}
	}
	t.Fatalf("kubectl port-forward service/%s ended", service)
	return ""
}

// pod is what the cluster says of a pod.
type pod struct {
	Metadata struct {
		Name, UID, DeletionTimestamp string
		Labels                       map[string]string
	}
	Spec   struct{ NodeName string }
	Status struct {
		ContainerStatuses []struct {
			Ready        bool
			RestartCount int
		}
	}
}

func (p pod) ready() bool {
	return len(p.Status.ContainerStatuses) == 1 && p.Status.ContainerStatuses[0].Ready
}

func (p pod) restarts() int {
	if len(p.Status.ContainerStatuses) == 0 {
		return 0
	}
	return p.Status.ContainerStatuses[0].RestartCount
}

// pods returns the pods of a service, or all that belong to one.
func pods(t *testing.T, service string) []pod {
	t.Helper()
	selector := "app.kubernetes.io/name"
	if service != "" {
		selector += "=" + service
	}
	var list struct{ Items []pod }
	output := kubectl(t, "get", "pods", "--selector="+selector, "--output=json")
	if err := json.Unmarshal([]byte(output), &list); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// summary is the last line of the traffic generator.
type summary struct {
	Message string `json:"msg"`
	Rolls   int
	Replies map[string]int
}

// traffic runs the traffic generator's Job with these settings, NAME=value, and returns its summary.
func traffic(t *testing.T, name string, settings ...string) summary {
	t.Helper()
	template := kubectl(t, "create", "job", name, "--from=cronjob/traffic", "--dry-run=client", "--output=json")
	set := exec.Command("kubectl", append([]string{"set", "env", "--local", "--filename=-", "--output=json"}, settings...)...)
	set.Stdin = strings.NewReader(template)
	job, err := set.Output()
	if err != nil {
		t.Fatal(err)
	}
	create := exec.Command("kubectl", "create", "--filename=-")
	create.Stdin = bytes.NewReader(job)
	if output, err := create.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	kubectl(t, "wait", "--for=condition=Complete", "job/"+name, "--timeout=3m")
	for line := range strings.Lines(kubectl(t, "logs", "job/"+name)) {
		var got summary
		if json.Unmarshal([]byte(line), &got) == nil && got.Message == "traffic generation is complete" {
			return got
		}
	}
	t.Fatalf("no summary in the log of %s", name)
	return summary{}
}

const bound = 2 * time.Minute // for everything that is polled

// eventually polls check until it returns nil.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	var err error
	for start := time.Now(); time.Since(start) < bound; time.Sleep(500 * time.Millisecond) {
		if err = check(); err == nil {
			return
		}
	}
	t.Fatalf("%s: still after %s: %v", what, bound, err)
}
