package kubernetes

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.com/dice/observability/internal/readme"
)

const manifests = "../../kubernetes"

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

// TestReadme wants its excerpts to be in the files that they are from, its links to lead somewhere, and its table to list
// all files.
func TestReadme(t *testing.T) {
	text, err := readme.Read(filepath.Join(manifests, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range text.Of("yaml") {
		if !strings.Contains(read(t, block.Argument), block.Text) {
			t.Errorf("this is not in %s:\n%s", block.Argument, block.Text)
		}
	}
	for _, link := range text.Links {
		file, _, _ := strings.Cut(link, "#")
		if _, err := os.Stat(filepath.Join(manifests, file)); !strings.Contains(link, "://") && err != nil {
			t.Error(err)
		}
	}
	listed := strings.Join(text.Tables[0], ", ") + ", README.md"
	entries, err := os.ReadDir(manifests)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !strings.Contains(listed, entry.Name()) {
			t.Errorf("the table of files lacks %s", entry.Name())
		}
	}
}
