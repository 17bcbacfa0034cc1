package docs

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
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
			t.Run(name+" "+service.Name, func(t *testing.T) { checkContainer(t, service) })
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
