package stage

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// volume is the folder of this run that stands for a volume of Docker. It goes when the run ends.
func (r *Running) volume(name string) string { return filepath.Join(r.directory, "volumes", name) }

func (r *Running) makeVolumes(service Service) error {
	for _, name := range service.volumes {
		if err := os.MkdirAll(r.volume(name), 0o700); err != nil {
			return fmt.Errorf("making a volume for %s: %w", service.Name, err)
		}
	}
	return nil
}

// variables are those of the service. What is on a volume in a container is in a folder of this run here.
func (r *Running) variables(service Service) []string {
	variables := slices.Clone(service.env)
	for container, name := range service.volumes {
		for i, variable := range variables {
			variables[i] = strings.Replace(variable, "="+container+"/", "="+r.volume(name)+"/", 1)
		}
	}
	return variables
}
