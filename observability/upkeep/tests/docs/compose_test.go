package docs

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"
	"golang.org/x/net/http/httpproxy"
)

// TestContainers wants each container of each stage, under the overlay for sampling too, to have no more rights than it needs, and a
// bound for its memory.
func TestContainers(t *testing.T) {
	for _, name := range stageNames(t) {
		directory := filepath.Join(root, name)
		overlay := filepath.Join(root, "observability", "sampling", "compose.yaml") // changes and adds services, and removes none
		options, err := cli.NewProjectOptions([]string{filepath.Join(directory, "compose.yaml"), overlay},
			cli.WithWorkingDirectory(directory), cli.WithEnvFiles(), cli.WithDotEnv, cli.WithName(name))
		if err != nil {
			t.Fatal(err)
		}
		project, err := options.LoadProject(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, service := range project.Services {
			t.Run(name+" "+service.Name, func(t *testing.T) {
				checkContainer(t, service)
				checkProxy(t, service, project.ServiceNames())
			})
		}
	}
}

func checkContainer(t *testing.T, service types.ServiceConfig) {
	t.Helper()
	if !service.ReadOnly || !slices.Equal(service.CapDrop, []string{"ALL"}) || len(service.CapAdd) > 0 || service.Privileged || service.User == "root" ||
		!slices.Contains(service.SecurityOpt, "no-new-privileges:true") {
		t.Errorf("it has rights that it does not need: read_only %t, cap_drop %v, cap_add %v, privileged %t, user %q, security_opt %v",
			service.ReadOnly, service.CapDrop, service.CapAdd, service.Privileged, service.User, service.SecurityOpt)
	}
	if service.MemLimit <= 0 {
		t.Error("no mem_limit")
	}
	for _, port := range service.Ports {
		if port.HostIP != "127.0.0.1" {
			t.Errorf("port %s is open on %q", port.Published, port.HostIP)
		}
	}
	for _, volume := range service.Volumes {
		if volume.Type == types.VolumeTypeBind && !volume.ReadOnly {
			t.Errorf("it may write to %s", volume.Source)
		}
	}
	if _, version, _ := strings.Cut(service.Image, ":"); service.Build == nil && (version == "" || version == "latest") {
		t.Errorf("image %q has no fixed version", service.Image)
	}
}

// checkProxy wants a container to reach the others without the proxy that Docker's configuration may name. It looks for their addresses in
// the container's variables and files.
func checkProxy(t *testing.T, service types.ServiceConfig, names []string) {
	t.Helper()
	var text strings.Builder
	for _, value := range service.Environment {
		if value != nil {
			text.WriteString(*value + "\n")
		}
	}
	for _, volume := range service.Volumes {
		if content, err := os.ReadFile(volume.Source); err == nil && volume.Type == types.VolumeTypeBind {
			text.Write(content)
		}
	}
	var addresses []string
	for _, name := range append(names, "gateway") {
		addresses = append(addresses, regexp.MustCompile(`\b`+name+`:\d+`).FindAllString(text.String(), -1)...)
	}
	if service.Image != "" {
		addresses = append(addresses, "172.18.0.7:9095") // the engines call themselves by their own address
	}
	for _, variable := range []string{"NO_PROXY", "no_proxy"} {
		value := service.Environment[variable]
		if value == nil {
			t.Errorf("no %s", variable)
			continue
		}
		config := httpproxy.Config{HTTPProxy: "http://proxy:3128", NoProxy: *value}
		for _, address := range addresses {
			if proxy, err := config.ProxyFunc()(&url.URL{Scheme: "http", Host: address}); err != nil || proxy != nil {
				t.Errorf("with %s=%s, it reaches %s through the proxy %v: %v", variable, *value, address, proxy, err)
			}
		}
	}
}

// TestCollectorMetrics wants each collector to name its own metrics as Prometheus does: counters with _total, and units. Without
// an option for it, they lack both, and the queries of dashboards and READMEs find nothing.
func TestCollectorMetrics(t *testing.T) {
	docker, err := filepath.Glob(filepath.Join(root, "observability", "*", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	kubernetes, err := filepath.Glob(filepath.Join(root, "observability", "kubernetes", "*", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	readers := 0
	for _, file := range append(docker, kubernetes...) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var config struct {
			Service struct {
				Telemetry struct {
					Metrics struct {
						Readers []struct {
							Pull struct {
								Exporter struct{ Prometheus map[string]any }
							}
						}
					}
				}
			}
		}
		if yaml.Unmarshal(content, &config) != nil {
			continue // several documents, or none of the collector
		}
		for _, reader := range config.Service.Telemetry.Metrics.Readers {
			readers++
			p := reader.Pull.Exporter.Prometheus
			if p["without_type_suffix"] != false || p["without_units"] != false {
				t.Errorf("%s: %v", file, p)
			}
		}
	}
	if readers < 2 {
		t.Errorf("%d collectors with metrics of their own, want those of Docker and Kubernetes", readers)
	}
}
