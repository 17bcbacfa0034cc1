package kubernetes

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const manifests = "../../../kubernetes"

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(manifests, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestDashboards wants kustomize to take along all dashboards: it has no patterns for names of files.
func TestDashboards(t *testing.T) {
	kustomization := read(t, "base/kustomization.yaml")
	for _, folder := range []string{"../../grafana/dashboards", "../../../stage6-usage/dashboards"} {
		files, err := filepath.Glob(filepath.Join(manifests, "base", folder, "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no dashboards in %s: %v", folder, err)
		}
		for _, file := range files {
			if name := folder + "/" + filepath.Base(file); !strings.Contains(kustomization, name) {
				t.Errorf("base/kustomization.yaml lacks %s", name)
			}
		}
	}
}

// TestChecksums wants the pods of each engine to have a checksum of each ConfigMap that they read, so that a changed
// configuration replaces them. Grafana reads changed dashboards by itself.
func TestChecksums(t *testing.T) {
	made := matches(t, "base/kustomization.yaml", `(?m)^  - name: (\S+)$`)
	made = slices.DeleteFunc(made, func(name string) bool { return strings.HasPrefix(name, "grafana-dashboards") })
	slices.Sort(made)
	for _, directory := range []string{"values", "engines"} {
		files, err := filepath.Glob(filepath.Join(manifests, directory, "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		var marked []string
		for _, file := range files {
			marked = append(marked, matches(t, directory+"/"+filepath.Base(file), `checksum/([\w-]+): by-run`)...)
		}
		want := made
		if directory == "engines" { // without Grafana
			want = slices.DeleteFunc(slices.Clone(made), func(name string) bool { return strings.HasPrefix(name, "grafana") })
		}
		slices.Sort(marked)
		if !slices.Equal(marked, want) {
			t.Errorf("%s has checksums of %v, want %v", directory, marked, want)
		}
	}
}

// matches returns what the first group of a pattern matches in a file.
func matches(t *testing.T, name, pattern string) (found []string) {
	t.Helper()
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(read(t, name), -1) {
		found = append(found, match[1])
	}
	return found
}

// TestVersions wants the engines to have the versions that they have with Docker, with their charts and without.
func TestVersions(t *testing.T) {
	images := regexp.MustCompile(`(?m)(?:image:|FROM) (\S+):(\S+)$`)
	for _, source := range []string{"../compose.yaml", "../collector/Dockerfile"} {
		for _, image := range images.FindAllStringSubmatch(read(t, source), -1) {
			name, version := image[1], image[2]
			engine := filepath.Base(name)
			plain, values := "engines/"+engine+".yaml", []string{engine + ".yaml"}
			if strings.HasPrefix(engine, "opentelemetry-collector") {
				plain, values = "engines/collector.yaml", []string{"collector.yaml", "gateway.yaml"}
			}
			if engine != "grafana" && !strings.Contains(read(t, plain), name+":"+version) {
				t.Errorf("%s has not the image %s:%s", plain, name, version)
			}
			for _, file := range values {
				if !regexp.MustCompile(`tag: ` + regexp.QuoteMeta(version) + `\b`).MatchString(read(t, "values/"+file)) {
					t.Errorf("values/%s has not the tag %s", file, version)
				}
			}
		}
	}
}

// TestEnvironmentOfGrafana wants the chart's values to set what compose.yaml sets.
func TestEnvironmentOfGrafana(t *testing.T) {
	const setting = `(?m)^ +(GF_\w+: \S+)`
	if got, want := matches(t, "values/grafana.yaml", setting), matches(t, "../compose.yaml", setting); !slices.Equal(got, want) || len(want) == 0 {
		t.Errorf("the chart sets %v, compose.yaml sets %v", got, want)
	}
}
