package kubernetes

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/internal/readme"
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
	kustomization := read(t, "kustomization.yaml")
	for _, folder := range []string{"../grafana/dashboards", "../../stage6-usage/dashboards"} {
		files, err := filepath.Glob(filepath.Join(manifests, folder, "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no dashboards in %s: %v", folder, err)
		}
		for _, file := range files {
			if name := folder + "/" + filepath.Base(file); !strings.Contains(kustomization, name) {
				t.Errorf("kustomization.yaml lacks %s", name)
			}
		}
	}
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
	setting := regexp.MustCompile(`(?m)^ +(GF_\w+: \S+)`)
	settings := func(name string) (all []string) {
		for _, found := range setting.FindAllStringSubmatch(read(t, name), -1) {
			all = append(all, found[1])
		}
		return all
	}
	if got, want := settings("values/grafana.yaml"), settings("../compose.yaml"); !slices.Equal(got, want) || len(want) == 0 {
		t.Errorf("the chart sets %v, compose.yaml sets %v", got, want)
	}
}

// TestTableOfFiles wants the README to say of each file what it is for.
func TestTableOfFiles(t *testing.T) {
	text, err := readme.Read(filepath.Join(manifests, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	listed := strings.Split(strings.Join(text.Tables[0].First(), ", "), ", ")
	entries, err := os.ReadDir(manifests)
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() {
			name += "/"
		}
		if name != "README.md" {
			there = append(there, name)
		}
	}
	slices.Sort(listed)
	slices.Sort(there)
	if !slices.Equal(listed, there) {
		t.Errorf("the table lists %v, the directory has %v", listed, there)
	}
}
