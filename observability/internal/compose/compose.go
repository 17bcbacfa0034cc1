// Package compose reads a stage's compose.yaml, so that the stage can be run without Docker.
package compose

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"example.com/dice/observability/internal/stages"
)

// Traffic is the name of the service that generates traffic. It has no port, and exits by itself.
const Traffic = "traffic"

// Stage is a stage as described in its compose.yaml, with addresses and files on this machine.
type Stage struct {
	Name, Dir          string    // Dir is absolute.
	Services           []Service // The stage's own, in an order in which they can be started; traffic is last.
	OTLPGRPC, OTLPHTTP Port      // where the collector listens
	BuildFlags         []string  // further flags of go build; Load sets none
	Programs           string    // directory that keeps the services' programs for the next run, because linking takes long; Load sets none
}

// Service is one of a stage's own services.
type Service struct {
	Name        string
	Source      string            // directory of its main package; absolute
	Environment []string          // each NAME=value
	Volumes     map[string]string // volume names by mount point
	Port        Port              // zero if the service has no port
}

// Port is a port on this machine, the variable that sets it, and who listens on it, in words.
type Port struct{ Number, Variable, User string }

// Address is host:port on the loopback interface.
func (p Port) Address() string { return "127.0.0.1:" + p.Number }

// Settings are variables, each NAME=value, in addition to those of the environment and the file .env.
type Settings struct {
	Override []string // take precedence over them
	Default  []string // apply to variables that they leave unset or empty
}

// fixedBounds keeps native histograms out of reports and checks, which compare bounds.
const fixedBounds = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION=explicit_bucket_histogram"

// Load reads compose.yaml of a stage, which [stages.Find] finds by its name, in the repository at root. Like docker compose, it takes
// variables from the environment, then from the file .env in the stage's directory.
func Load(ctx context.Context, root, name string, settings Settings) (*Stage, error) {
	stage, err := stages.Find(root, name)
	if err != nil {
		return nil, err
	}
	return LoadDirectory(ctx, stage.Directory, stage.Name, settings)
}

// LoadDirectory reads compose.yaml from any directory next to the stages, and gives the stage this name.
func LoadDirectory(ctx context.Context, dir, name string, settings Settings) (*Stage, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	var ports portChecker
	options, err := cli.NewProjectOptions([]string{filepath.Join(dir, "compose.yaml")},
		cli.WithWorkingDirectory(dir), cli.WithEnv(slices.Concat(settings.Override, []string{fixedBounds})), cli.WithOsEnv, cli.WithEnvFiles(), cli.WithDotEnv,
		withDefaults(settings.Default), cli.WithName(name), cli.WithLoadOptions(ports.use, validate))
	if err != nil {
		return nil, fmt.Errorf("reading compose.yaml: %w", err)
	}
	project, err := options.LoadProject(ctx)
	if ports.err != nil {
		return nil, ports.err
	}
	if err != nil {
		return nil, fmt.Errorf("reading compose.yaml: %w", err)
	}
	return fromProject(name, dir, project)
}

// validate leaves out the validation where it cannot work: its library makes a URL from the working directory, and does not escape "%".
func validate(options *loader.Options) {
	if directory, err := os.Getwd(); err == nil && strings.Contains(directory, "%") {
		options.SkipValidation = true
	}
}

// withDefaults sets variables that are unset or empty.
func withDefaults(variables []string) cli.ProjectOptionsFn {
	return func(o *cli.ProjectOptions) error {
		for _, variable := range variables {
			if name, value, _ := strings.Cut(variable, "="); o.Environment[name] == "" {
				o.Environment[name] = value
			}
		}
		return nil
	}
}

func fromProject(name, dir string, project *types.Project) (*Stage, error) {
	addresses, err := localAddresses(project)
	if err != nil {
		return nil, err
	}
	collector := project.Services["collector"]
	s := &Stage{
		Name: name, Dir: dir,
		OTLPGRPC: Port{published(collector, 4317), "OTLP_GRPC_PORT", "the collector (OTLP over gRPC)"},
		OTLPHTTP: Port{published(collector, 4318), "OTLP_HTTP_PORT", "the collector (OTLP over HTTP)"},
	}
	err = project.ForEachService(nil, func(_ string, service *types.ServiceConfig) error {
		if service.Build != nil && service.Build.Args["SERVICE"] != nil {
			s.Services = append(s.Services, newService(*service, dir, addresses))
		}
		return nil
	})
	// Dependencies come first. Traffic is moved to the end, because it need not depend on all other services.
	slices.SortStableFunc(s.Services, func(a, b Service) int { return rank(a) - rank(b) })
	return s, err
}

func rank(s Service) int {
	if s.Name == Traffic {
		return 1
	}
	return 0
}

// localAddresses returns pairs of addresses: the one between containers, and the one on this machine.
func localAddresses(project *types.Project) ([]string, error) {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(project.Services)) {
		service := project.Services[name]
		for _, port := range service.Ports {
			if !isPort(port.Published) {
				return nil, fmt.Errorf("port %q of %s in compose.yaml: %s", port.Published, service.Name, wantPort)
			}
			pairs = append(pairs, fmt.Sprintf("//%s:%d", service.Name, port.Target), "//localhost:"+port.Published)
		}
	}
	return pairs, nil
}

func newService(from types.ServiceConfig, dir string, addresses []string) Service {
	s := Service{Name: from.Name, Source: filepath.Join(dir, from.Name), Volumes: make(map[string]string)}
	pairs := slices.Clone(addresses)
	for _, volume := range from.Volumes {
		switch volume.Type {
		case types.VolumeTypeBind: // the file itself is on this machine
			pairs = append(pairs, volume.Target, volume.Source)
		case types.VolumeTypeVolume:
			s.Volumes[volume.Target] = volume.Source
		}
	}
	local := strings.NewReplacer(pairs...)
	for name, value := range from.Environment {
		if value != nil {
			s.Environment = append(s.Environment, name+"="+local.Replace(*value))
		}
	}
	if number := published(from, 8080); number != "" {
		s.Port = Port{number, strings.ToUpper(from.Name) + "_PORT", from.Name}
	}
	return s
}

// published returns the port on this machine to which a container's port is published, or "".
func published(service types.ServiceConfig, target uint32) string {
	for _, port := range service.Ports {
		if port.Target == target {
			return port.Published
		}
	}
	return ""
}

// Service returns a pointer to the service with this name, or nil if the stage has none.
func (s *Stage) Service(name string) *Service {
	i := slices.IndexFunc(s.Services, func(service Service) bool { return service.Name == name })
	if i < 0 {
		return nil
	}
	return &s.Services[i]
}

// URL returns the URL of a service on this machine, or "" if the stage has no such service or the service has no port.
func (s *Stage) URL(service string) string {
	if found := s.Service(service); found != nil && found.Port.Number != "" {
		return "http://localhost:" + found.Port.Number
	}
	return ""
}
