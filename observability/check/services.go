package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/freeport"
)

// load finds the code of each service. The traffic generator is always the stage's. It says which services are missing, and why.
func (c code) load(ctx context.Context) (stage *compose.Stage, missing map[string]string, err error) {
	settings := compose.Settings{Override: append(freeport.Variables(), "SEED=1", "MAX_WAIT=10ms", "NUM_USERS=10", "MAX_ROLLS_PER_USER=30")}
	own, err := compose.Load(ctx, c.stage.Root, c.stage.Name, settings)
	if err != nil {
		return nil, nil, err
	}
	directory, err := filepath.Abs(c.directory)
	if err != nil {
		return nil, nil, err
	}
	if _, err := os.Stat(directory); err != nil {
		return nil, nil, fmt.Errorf("there is no directory %s: create it with go run ./observability/check start %s %[1]s", c.directory, c.stage.Name)
	}
	switch {
	case isFile(filepath.Join(directory, "compose.yaml")):
		theirs, err := compose.LoadDirectory(ctx, directory, c.stage.Name, settings)
		if err != nil {
			return nil, nil, err
		}
		return theirs, adopt(theirs, own, c.directory), nil
	case holdsGo(directory): // the service itself, like plain/ of the first stage
		own.Service("roll").Source = directory
	default:
		for i, service := range own.Services {
			if source := filepath.Join(directory, service.Name); holdsGo(source) && service.Name != compose.Traffic {
				own.Services[i].Source = source
			}
		}
	}
	return own, nil, nil
}

// adopt takes the services from the learner's compose.yaml and the traffic generator from the stage, and notes missing services.
func adopt(theirs, own *compose.Stage, directory string) (missing map[string]string) {
	missing = make(map[string]string)
	for _, service := range own.Services {
		got := theirs.Service(service.Name)
		switch {
		case got == nil:
			missing[service.Name] = filepath.Join(directory, "compose.yaml") + " has no service with this name. Add one."
		case service.Name == compose.Traffic:
			*got = service
		case !holdsGo(got.Source):
			missing[service.Name] = filepath.Join(directory, service.Name) + " has no Go files. Put the service's main package there."
		}
	}
	return missing
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

func holdsGo(directory string) bool {
	files, err := filepath.Glob(filepath.Join(directory, "*.go"))
	return err == nil && len(files) > 0
}
