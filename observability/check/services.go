package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.com/dice/observability/internal/compose"
)

// sources are the services to run.
type sources struct {
	stage   *compose.Stage
	own     []string          // names of the services that come from the code's directory
	missing map[string]string // why services cannot run, by their names
}

// load finds the code of each service: in the directory, or else in the stage. The traffic generator is always the stage's. A directory
// without any service is an error.
func (c code) load(ctx context.Context) (sources, error) {
	if _, err := os.Stat(c.directory); errors.Is(err, os.ErrNotExist) {
		return sources{}, fmt.Errorf("there is no directory %s: create it with %s", c.name(), c.command("start"))
	} else if err != nil {
		return sources{}, err
	}
	settings := settings()
	stage, err := compose.Load(ctx, c.stage.Root, c.stage.Name, settings)
	if err != nil {
		return sources{}, err
	}
	s := sources{stage: stage}
	switch {
	case isFile(filepath.Join(c.directory, "compose.yaml")):
		theirs, err := compose.LoadDirectory(ctx, c.directory, c.stage.Name, settings)
		if err != nil {
			return sources{}, err
		}
		s.adopt(theirs, c)
	case holdsGo(c.directory): // the roll service itself, such as plain/ of the first stage
		stage.Service("roll").Source = c.directory
		s.own = []string{"roll"}
	default:
		for i, service := range stage.Services {
			if source := filepath.Join(c.directory, service.Name); holdsGo(source) && service.Name != compose.Traffic {
				stage.Services[i].Source = source
				s.own = append(s.own, service.Name)
			}
		}
	}
	if len(s.own) == 0 {
		return sources{}, fmt.Errorf("%s has no code for %s: a service must be in a directory with its name, such as %s/roll", c.name(), c.stage.Name, c.name())
	}
	return s, nil
}

// adopt takes the services from the learner's compose.yaml and the traffic generator from the stage, and notes missing services.
func (s *sources) adopt(theirs *compose.Stage, c code) {
	stages := s.stage
	s.stage, s.missing = theirs, make(map[string]string)
	for _, service := range stages.Services {
		got := theirs.Service(service.Name)
		switch {
		case got == nil:
			s.missing[service.Name] = c.name() + "/compose.yaml has no service with this name. Add one."
		case service.Name == compose.Traffic:
			*got = service
		case !holdsGo(got.Source):
			s.missing[service.Name] = fmt.Sprintf("%s/%s has no Go files. Put the service's main package there.", c.name(), service.Name)
		default:
			s.own = append(s.own, service.Name)
		}
	}
}

// origin says which services come from the directory, and which from the stage.
func (s sources) origin(c code) string {
	if c.isStage() {
		return "the stage's own code"
	}
	var others []string
	for _, service := range s.stage.Services {
		if !slices.Contains(s.own, service.Name) && s.missing[service.Name] == "" {
			others = append(others, service.Name)
		}
	}
	own := slices.Sorted(slices.Values(s.own))
	slices.Sort(others)
	return fmt.Sprintf("your code in %s: %s; the stage's own: %s", c.name(), strings.Join(own, ", "), strings.Join(others, ", "))
}
