package observability_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// manifests are the files in which Dependabot finds versions, by its name for their kind.
var manifests = map[string]string{
	"gomod":          "go.mod",
	"docker":         "Dockerfile",
	"docker-compose": "compose.yaml",
}

// TestUpdatesCoverEverything wants each file with versions in a directory that Dependabot looks at, and all of a
// kind in one group, so that one pull request updates all stages.
func TestUpdatesCoverEverything(t *testing.T) {
	var config struct {
		Updates []struct {
			Ecosystem   string `yaml:"package-ecosystem"`
			Directory   string
			Directories []string
			Groups      map[string]struct{ Patterns []string }
		}
	}
	readYAML(t, filepath.Join(root, ".github", "dependabot.yml"), &config)
	watched := make(map[string][]string) // directories by ecosystem
	for _, update := range config.Updates {
		if _, twice := watched[update.Ecosystem]; twice || len(update.Groups) != 1 {
			t.Errorf("%s has more than one entry, or not one group", update.Ecosystem)
		}
		for name, group := range update.Groups {
			if len(group.Patterns) != 1 || group.Patterns[0] != "*" {
				t.Errorf("%s: the group %s has the patterns %q, want all", update.Ecosystem, name, group.Patterns)
			}
		}
		watched[update.Ecosystem] = append(update.Directories, update.Directory)
	}
	if len(watched["github-actions"]) == 0 {
		t.Error("nobody updates the actions")
	}
	for ecosystem, file := range manifests {
		for _, directory := range directoriesWith(t, file) {
			if ecosystem == "docker-compose" && !hasImages(t, filepath.Join(root, directory, file)) {
				continue
			}
			if !matches(t, watched[ecosystem], "/"+directory) {
				t.Errorf("nobody updates %s/%s", directory, file)
			}
		}
	}
}

// TestActionsArePinned wants a commit and, for readers and Dependabot, the version that it is.
func TestActionsArePinned(t *testing.T) {
	workflow, err := os.ReadFile(filepath.Join(root, ".github", "workflows", "ci.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	pinned := regexp.MustCompile(`^\s*- uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	actions := 0
	for line := range strings.Lines(string(workflow)) {
		if strings.Contains(line, "uses:") {
			actions++
			if !pinned.MatchString(strings.TrimRight(line, "\n")) {
				t.Errorf("not pinned: %s", line)
			}
		}
	}
	goImage := regexp.MustCompile(`FROM golang:([\d.]+)-`)
	dockerfile, err := os.ReadFile(filepath.Join(root, stages(t)[0], "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	if version := goImage.FindSubmatch(dockerfile); version == nil || !strings.Contains(string(workflow), `go-version: "`+string(version[1])+`"`) {
		t.Errorf("the workflow has not the Go of the Dockerfiles: %q", version)
	}
	if actions == 0 || !strings.Contains(string(workflow), "run: .ci/run\n") {
		t.Error("the workflow does not call .ci/run")
	}
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// directoriesWith returns the directories of the repository that have a file with this name.
func directoriesWith(t *testing.T, name string) []string {
	t.Helper()
	var directories []string
	err := fs.WalkDir(os.DirFS(root), ".", func(file string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == name {
			directories = append(directories, path.Dir(file))
		}
		return err
	})
	if err != nil || len(directories) == 0 {
		t.Fatalf("no %s: %v", name, err)
	}
	return directories
}

// hasImages reports whether a compose file names images. A stage builds its own, and includes the others.
func hasImages(t *testing.T, file string) bool {
	t.Helper()
	var compose struct {
		Services map[string]struct{ Image string }
	}
	readYAML(t, file, &compose)
	for _, service := range compose.Services {
		if service.Image != "" {
			return true
		}
	}
	return false
}

func matches(t *testing.T, patterns []string, directory string) bool {
	t.Helper()
	for _, pattern := range patterns {
		matched, err := path.Match(pattern, directory)
		if err != nil {
			t.Fatal(err)
		}
		if matched {
			return true
		}
	}
	return false
}
