//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/internal/table"
)

// TestFootprint runs all stages with the traffic that they come up with, and writes the table of the README anew: what each
// takes of a machine. It is run on demand, FOOTPRINT=1, because it takes half an hour.
func TestFootprint(t *testing.T) {
	if os.Getenv("FOOTPRINT") == "" {
		t.Skip("FOOTPRINT is not set")
	}
	names := stages(t)
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
	s := start(t, repository, stage)
	for signal, after := range firstData(t, s.started) {
		note("a:first "+signal+" after", stage, fmt.Sprintf("%.1f s", after.Seconds()))
	}
	generated := s.waitForTraffic(t)
	note("b:rolls of the traffic", stage, strconv.Itoa(generated.Rolls))
	note("c:bytes to the collector for each roll", stage, strconv.Itoa(s.resources(t, "collector").received/generated.Rolls))
	total := 0
	for _, service := range strings.Fields(s.compose(t, "ps", "--services", "--status=running")) {
		r := s.resources(t, service)
		total += r.memory
		note("d:memory of "+service, stage, megabytes(r.memory))
	}
	note("e:memory in all", stage, megabytes(total))
	for line := range strings.Lines(s.docker(t, "image", "ls", "--filter", "reference="+stage+"-*", "--format", "{{.Repository}}\t{{.Size}}")) {
		image, size, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if service := strings.TrimPrefix(image, stage+"-"); service != "collector" { // which is an engine like the others
			note("f:image of "+service, stage, size)
		}
	}
}

func megabytes(bytes int) string { return fmt.Sprintf("%d MiB", bytes>>20) }

// resources is what a container has taken since it was started.
type resources struct {
	memory   int // bytes that it holds, without the files that the kernel caches for it
	cpu      time.Duration
	received int // bytes over the network
}

// resources asks the Docker engine about a service of the stage.
func (s *stack) resources(t *testing.T, service string) resources {
	t.Helper()
	r, err := resourcesOf(strings.TrimSpace(s.compose(t, "ps", "--quiet", service)))
	if err != nil {
		t.Fatalf("resources of %s: %v", service, err)
	}
	return r
}

// resourcesOf asks the engine. A container that ends meanwhile is an error.
func resourcesOf(container string) (resources, error) {
	var reply struct {
		Memory struct {
			Usage int
			Stats struct {
				InactiveFile int `json:"inactive_file"`
			}
		} `json:"memory_stats"`
		CPU struct {
			Usage struct {
				Total int64 `json:"total_usage"`
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
		return resources{}, err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&reply); err != nil {
		return resources{}, err
	}
	r := resources{memory: reply.Memory.Usage - reply.Memory.Stats.InactiveFile, cpu: time.Duration(reply.CPU.Usage.Total)}
	for _, network := range reply.Networks {
		r.received += network.Received
	}
	return r, nil
}
