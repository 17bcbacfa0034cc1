package compose

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const file = `
services:
  collector:
    image: collector
    ports: ["127.0.0.1:4317:4317", "127.0.0.1:4318:4318"]
  traffic:
    build: {context: ., args: {SERVICE: traffic}}
    environment: {TARGET_URL: "http://roll:8080", SEED: "${SEED:-}"}
  roll:
    build: {context: ., args: {SERVICE: roll}}
    depends_on: [die]
    environment: {DIE_URL: "http://die:8080", OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4317"}
    ports: ["127.0.0.1:${ROLL_PORT:-8081}:8080"]
  die:
    build: {context: ., args: {SERVICE: die}}
    environment: {DICE_FILE: /etc/dice/dice.json, DATABASE: /var/lib/dice/dice.db}
    volumes: ["./dice.json:/etc/dice/dice.json:ro", "database:/var/lib/dice"]
    ports: ["127.0.0.1:8082:8080"]
volumes: {database: {}}
`

// newStage returns the root of a repository whose one stage, stage1, has these files.
func newStage(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "stage1"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "go.work"), []byte("go 1.26.0\n\nuse ./stage1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(root, "stage1", name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestLoad(t *testing.T) {
	root := newStage(t, map[string]string{"compose.yaml": file})
	s, err := Load(t.Context(), root, "stage1", Settings{})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "stage1")
	if s.Name != "stage1" || s.Dir != dir || s.OTLPGRPC.Address() != "127.0.0.1:4317" || s.OTLPHTTP.Number != "4318" {
		t.Errorf("stage %+v", s)
	}
	var names []string
	for _, service := range s.Services {
		names = append(names, service.Name)
	}
	if want := []string{"die", "roll", "traffic"}; !slices.Equal(names, want) {
		t.Errorf("services %v, want what others depend on first, and traffic last: %v", names, want)
	}
	if s.URL("roll") != "http://localhost:8081" || s.URL("traffic") != "" || s.URL("frontend") != "" {
		t.Errorf("addresses %q, %q, %q", s.URL("roll"), s.URL("traffic"), s.URL("frontend"))
	}
	for service, want := range map[string][]string{
		"roll":    {"DIE_URL=http://localhost:8082", "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317"},
		"traffic": {"SEED=", "TARGET_URL=http://localhost:8081"},
		"die":     {"DATABASE=/var/lib/dice/dice.db", "DICE_FILE=" + filepath.Join(dir, "dice.json")},
	} {
		if got := slices.Sorted(slices.Values(s.Service(service).Environment)); !slices.Equal(got, want) {
			t.Errorf("environment of %s %q, want %q", service, got, want)
		}
	}
	die := s.Service("die")
	if want := map[string]string{"/var/lib/dice": "database"}; !maps.Equal(die.Volumes, want) || die.Source != filepath.Join(dir, "die") {
		t.Errorf("die %+v, want volumes %v", die, want)
	}
}

func TestLoadFromAnyDirectory(t *testing.T) {
	for _, name := range []string{"with space", "100 % #1", "%zz", "größer?", "a;b&c=d", "ver\u0308ordnung", "(1)"} {
		t.Run(name, func(t *testing.T) {
			root := filepath.Join(t.TempDir(), name)
			if err := os.Rename(newStage(t, map[string]string{"compose.yaml": file}), root); err != nil {
				t.Fatal(err)
			}
			t.Chdir(root)
			s, err := Load(t.Context(), root, "stage1", Settings{})
			if err != nil {
				t.Fatal(err)
			}
			if want := "DICE_FILE=" + filepath.Join(root, "stage1", "dice.json"); !slices.Contains(s.Service("die").Environment, want) {
				t.Errorf("environment %q, want %s", s.Service("die").Environment, want)
			}
		})
	}
}

// TestSettings wants variables from what overrides the environment, else from the environment, else from the file .env,
// else from the defaults.
func TestSettings(t *testing.T) {
	all := Settings{Override: []string{"ROLL_PORT=9084"}, Default: []string{"ROLL_PORT=9081"}}
	tests := []struct {
		name, env, dotEnv string
		settings          Settings
		want              string
	}{
		{"compose.yaml", "", "", Settings{}, "8081"},
		{"default", "", "", Settings{Default: all.Default}, "9081"},
		{".env", "", "9082", Settings{Default: all.Default}, "9082"},
		{"environment", "9083", "9082", Settings{Default: all.Default}, "9083"},
		{"override", "9083", "9082", all, "9084"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			files := map[string]string{"compose.yaml": file}
			if test.dotEnv != "" {
				files[".env"] = "ROLL_PORT=" + test.dotEnv + "\n"
			}
			if test.env != "" {
				t.Setenv("ROLL_PORT", test.env)
			}
			s, err := Load(t.Context(), newStage(t, files), "stage1", test.settings)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Service("roll").Port.Number; got != test.want {
				t.Errorf("port %s, want %s", got, test.want)
			}
		})
	}
}

// TestHistogramsHaveBounds wants histograms that reports and checks can read, although the environment asks for others.
func TestHistogramsHaveBounds(t *testing.T) {
	name, fixed, _ := strings.Cut(fixedBounds, "=")
	t.Setenv(name, "base2_exponential_bucket_histogram")
	for _, stage := range []string{"stage1-roll", "stage6-usage"} {
		s, err := Load(t.Context(), "../../..", stage, Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Service("roll").Environment; !slices.Contains(got, name+"="+fixed) {
			t.Errorf("%s: environment %q", stage, got)
		}
	}
}

func TestLoadFailsWithOneClearLine(t *testing.T) {
	one := newStage(t, map[string]string{"compose.yaml": file})
	tests := []struct {
		name, root, stage string
		settings          Settings
		want              string
	}{
		{"another directory", filepath.Join(one, "stage1"), "stage1", Settings{}, "go.work: no such file or directory"},
		{"unknown stage", one, "stage9", Settings{}, `unknown stage "stage9": must be one of stage1`},
		{"no port", newStage(t, map[string]string{"compose.yaml": strings.Replace(file, "8082:8080", "0:8080", 1)}), "stage1", Settings{}, `port "0" of die in compose.yaml: want one port from 1 to 65535`},
		{"not YAML", newStage(t, map[string]string{"compose.yaml": "services: ["}), "stage1", Settings{}, "reading compose.yaml: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := Load(t.Context(), test.root, test.stage, test.settings); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

func TestPorts(t *testing.T) {
	root := newStage(t, map[string]string{"compose.yaml": file})
	for value, want := range map[string]string{"": "8081", "1": "1", "08081": "8081", "65535": "65535"} {
		s, err := Load(t.Context(), root, "stage1", Settings{Override: []string{"ROLL_PORT=" + value}})
		if err != nil || s.Service("roll").Port.Number != want {
			t.Errorf("ROLL_PORT=%q: %v, %v, want %s", value, s, err, want)
		}
	}
	for _, value := range []string{"0", "65536", "-1", "8091-8093", "abc", " 8081", "80 81", "0x50", "127.0.0.1:8081", "8081/udp", "８０８１", "${X}", " "} {
		_, err := Load(t.Context(), root, "stage1", Settings{Override: []string{"ROLL_PORT=" + value}})
		if want := fmt.Sprintf("ROLL_PORT=%q: want one port from 1 to 65535", value); err == nil || err.Error() != want {
			t.Errorf("ROLL_PORT=%q: %v, want %s", value, err, want)
		}
	}
}
