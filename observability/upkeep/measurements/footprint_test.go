//go:build measurements

package measurements

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/dice/observability/upkeep/internal/engine"
	"example.com/dice/observability/upkeep/internal/stack"
	"example.com/dice/observability/upkeep/internal/table"
)

// TestFootprint runs all stages with the traffic that they come up with, for half an hour. It writes a table of the README:
// what each takes of a machine.
func TestFootprint(t *testing.T) {
	names := stack.Stages(t, repository)
	rows := make(map[string]map[string]string) // by what is measured, by stage
	note := func(what, stage, value string) {
		if rows[what] == nil {
			rows[what] = make(map[string]string)
		}
		rows[what][stage] = value
	}
	for _, stage := range names {
		t.Run(stage, func(t *testing.T) { measureFootprint(t, stage, note) })
	}
	columns := []string{""}
	for _, stage := range names {
		columns = append(columns, number(stage))
	}
	tb := table.New(columns...)
	for _, what := range slices.Sorted(maps.Keys(rows)) {
		_, label, _ := strings.Cut(what, ":")
		cells := []string{label}
		for _, stage := range names {
			cells = append(cells, cmp.Or(rows[what][stage], "–"))
		}
		tb.Row(cells...)
	}
	writeTable(t, tb, "footprint")
}

// measureFootprint notes what a stage takes. What is noted begins with a letter that puts the rows in order.
func measureFootprint(t *testing.T, stage string, note func(what, stage, value string)) {
	t.Helper()
	s := stack.Start(t, repository, stage)
	var last time.Duration
	for _, after := range firstData(t, s.Started) {
		last = max(last, after)
	}
	note("a:first spans, metrics and log records after", stage, fmt.Sprintf("%.1f s", last.Seconds()))
	generated := s.WaitForTraffic(t)
	note("b:bytes to the collector for each roll", stage, strconv.Itoa(resourcesOfService(t, s, "collector").received/generated.Rolls))
	own := services(t, s)
	memory, all := 0, 0
	for _, service := range strings.Fields(s.Compose(t, "ps", "--services", "--status=running")) {
		r := resourcesOfService(t, s, service)
		all += r.memory
		if slices.Contains(own, service) {
			memory += r.memory
		}
	}
	note("c:memory of the services", stage, megabytes(memory))
	note("d:memory of the collector and the engines", stage, megabytes(all-memory))
	images := 0
	for _, service := range append(own, "traffic") {
		size := strings.TrimSpace(s.Docker(t, "image", "inspect", "--format", "{{.Size}}", stage+"-"+service))
		n, err := strconv.Atoi(size)
		if err != nil {
			t.Fatal(err)
		}
		images += n
	}
	note("e:images of the services", stage, megabytes(images))
}

// firstData returns how long after docker compose up, with all images present, the first of each signal can be queried.
func firstData(t *testing.T, start time.Time) map[string]time.Duration {
	t.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	after := make(map[string]time.Duration)
	for what, query := range map[string]func() (int, error){
		"metric": func() (int, error) { return engine.Local.Total(`http_server_request_duration_seconds_count`) },
		"log": func() (int, error) {
			records, err := engine.Local.LogQL(`{service_name="roll"}`)
			return len(records), err
		},
		"trace": func() (int, error) {
			ids, err := engine.Local.TraceQL(`{ name = "roll die" }`)
			return len(ids), err
		},
	} {
		group.Go(func() {
			for deadline := start.Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
				if n, err := query(); err == nil && n > 0 {
					mu.Lock()
					after[what] = time.Since(start)
					mu.Unlock()
					return
				}
			}
			t.Errorf("no %s within 2 minutes", what)
		})
	}
	group.Wait()
	return after
}

func megabytes(bytes int) string { return fmt.Sprintf("%d MiB", bytes>>20) }

// resources is what a container has taken since it was started.
type resources struct {
	memory   int // bytes that it holds, without the files that the kernel caches for it
	received int // bytes over the network
	cpu      time.Duration
}

// resourcesOfService asks the Docker engine about a service of the stage.
func resourcesOfService(t *testing.T, s *stack.Stack, service string) resources {
	t.Helper()
	container := strings.TrimSpace(s.Compose(t, "ps", "--quiet", service))
	var reply struct {
		Memory struct {
			Usage int
			Stats struct {
				InactiveFile int `json:"inactive_file"`
			}
		} `json:"memory_stats"`
		CPU struct {
			Usage struct {
				Total int64 `json:"total_usage"` // ns
			} `json:"cpu_usage"`
		} `json:"cpu_stats"`
		Networks map[string]struct {
			Received int `json:"rx_bytes"`
		}
	}
	engine := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", "/var/run/docker.sock")
		},
		DisableKeepAlives: true,
	}}
	response, err := engine.Get("http://docker/containers/" + container + "/stats?stream=false&one-shot=true")
	if err != nil {
		t.Fatalf("resources of %s: %v", service, err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&reply); err != nil {
		t.Fatalf("resources of %s: %v", service, err)
	}
	r := resources{memory: reply.Memory.Usage - reply.Memory.Stats.InactiveFile, cpu: time.Duration(reply.CPU.Usage.Total)}
	for _, network := range reply.Networks {
		r.received += network.Received
	}
	return r
}
