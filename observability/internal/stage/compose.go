// Package stage runs a stage as processes of this machine, without Docker: its services, and the collector in
// front of a store in memory.
package stage

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

const (
	traffic   = "traffic"
	collector = "collector"
	otlpGRPC  = 4317
	otlpHTTP  = 4318
)

// Stage is what a stage's compose.yaml says of it.
type Stage struct {
	Name, Dir  string
	Services   []Service // in an order in which they can start; the traffic generator is the last
	grpc, http port
}

// Service is one of the stage's own services.
type Service struct {
	Name    string
	env     []string
	volumes map[string]string // names of volumes, by where they are in a container
	port    port              // zero if it listens nowhere
}

// port is a port of this machine, and the variable that moves it.
type port struct{ number, variable string }

// Names returns the stages below root, in order.
func Names(root string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(root, "stage*", "compose.yaml"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no stages in %s: run this from the root of the repository", root)
	}
	var names []string
	for _, file := range files {
		names = append(names, filepath.Base(filepath.Dir(file)))
	}
	return names, nil
}

// Settings are variables, each as NAME=value, beside those of the environment and of the file .env.
type Settings struct {
	Override []string // come before them
	Default  []string // come after them
}

// Load reads the stage's compose.yaml as docker compose does: variables are those of the environment and of the
// stage's file .env, in this order, and what settings add.
func Load(ctx context.Context, root, name string, settings Settings) (*Stage, error) {
	names, err := Names(root)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(names, name) {
		return nil, fmt.Errorf("unknown stage %q: there is %s", name, strings.Join(names, ", "))
	}
	dir, err := filepath.Abs(filepath.Join(root, name))
	if err != nil {
		return nil, err
	}
	options, err := cli.NewProjectOptions([]string{filepath.Join(dir, "compose.yaml")},
		cli.WithWorkingDirectory(dir), cli.WithEnv(settings.Override), cli.WithOsEnv, cli.WithEnvFiles(), cli.WithDotEnv,
		withDefaults(settings.Default), cli.WithName(name))
	if err != nil {
		return nil, fmt.Errorf("reading compose.yaml: %w", err)
	}
	project, err := options.LoadProject(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading compose.yaml: %w", err)
	}
	return fromProject(name, dir, project)
}

// withDefaults sets the variables that are not set yet.
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
	s := &Stage{Name: name, Dir: dir}
	local := make(map[string]string) // what an address or file is called in a container, to its name on this machine
	for _, service := range project.Services {
		for _, published := range service.Ports {
			if _, err := strconv.ParseUint(published.Published, 10, 16); err != nil {
				return nil, fmt.Errorf("port %s of %s: one process needs one port", published.Published, service.Name)
			}
			local[fmt.Sprintf("//%s:%d", service.Name, published.Target)] = "//localhost:" + published.Published
		}
	}
	engine := project.Services[collector]
	s.grpc = port{published(engine, otlpGRPC), "OTLP_GRPC_PORT"}
	s.http = port{published(engine, otlpHTTP), "OTLP_HTTP_PORT"}

	err := project.ForEachService(nil, func(_ string, service *types.ServiceConfig) error {
		if service.Build == nil || service.Build.Args["SERVICE"] == nil {
			return nil
		}
		s.Services = append(s.Services, newService(*service, local))
		return nil
	})
	slices.SortStableFunc(s.Services, func(a, b Service) int { return rank(a) - rank(b) })
	return s, err
}

// rank puts the traffic generator behind all others. ForEachService keeps to what depends on what.
func rank(s Service) int {
	if s.Name == traffic {
		return 1
	}
	return 0
}

func newService(from types.ServiceConfig, local map[string]string) Service {
	s, local := Service{Name: from.Name, volumes: make(map[string]string)}, maps.Clone(local)
	for _, volume := range from.Volumes { // a file that is mounted there is here under its own name
		switch volume.Type {
		case types.VolumeTypeBind:
			local[volume.Target] = volume.Source
		case types.VolumeTypeVolume:
			s.volumes[volume.Target] = volume.Source
		}
	}
	for name, value := range from.Environment {
		if value == nil || name == "GRAFANA_URL" { // there is no Grafana here
			continue
		}
		text := *value
		for container, host := range local {
			text = strings.ReplaceAll(text, container, host)
		}
		s.env = append(s.env, name+"="+text)
	}
	s.env = append(s.env, "OTEL_METRIC_EXPORT_INTERVAL=500") // ms; the report waits for the last values
	if number := published(from, 8080); number != "" {
		s.port = port{number, strings.ToUpper(from.Name) + "_PORT"}
		s.env = append(s.env, "ADDR=127.0.0.1:"+number)
	}
	return s
}

func published(service types.ServiceConfig, target uint32) string {
	for _, p := range service.Ports {
		if p.Target == target {
			return p.Published
		}
	}
	return ""
}

// environ is the environment of a process: this program's own without OTEL_ variables, which are the stage's
// to set, and variables on top.
func environ(variables ...string) []string {
	own := slices.DeleteFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(variable, "OTEL_") })
	return append(own, variables...)
}

// URL is the address of a service on this machine, or "" if the stage has none of that name that listens.
func (s *Stage) URL(service string) string {
	for _, candidate := range s.Services {
		if candidate.Name == service && candidate.port.number != "" {
			return "http://localhost:" + candidate.port.number
		}
	}
	return ""
}

// OTLP is the address of the stage's collector, host:port of OTLP over gRPC.
func (s *Stage) OTLP() string { return "127.0.0.1:" + s.grpc.number }
