package stages

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/internal/compose"
)

// TestBadSettings wants each service of each stage to refuse a bad setting at the start, with one line that names the variable
// and what is allowed.
func TestBadSettings(t *testing.T) {
	t.Parallel()
	const (
		addr  = `ADDR="8080": want an address to listen on, such as :8080`
		url   = `want a URL such as http://localhost:8081`
		wait  = `want a duration from 0s to 10s, such as 250ms`
		seed  = `SEED="lucky": want a whole number from 0 to 18446744073709551615`
		unset = " is not set"
	)
	tests := []struct {
		service, setting, want string
	}{
		{"roll", "ADDR=8080", addr},
		{"roll", "MAX_WAIT=1", `MAX_WAIT="1": ` + wait},
		{"roll", "MAX_WAIT=-1s", `MAX_WAIT="-1s": ` + wait},
		{"roll", "MAX_WAIT=11s", `MAX_WAIT="11s": ` + wait},
		{"roll", "MAX_TIMES=0", `MAX_TIMES="0": want a whole number from 1 to 100000`},
		{"roll", "DIE_URL=", "DIE_URL" + unset},
		{"roll", "DIE_URL=die:8080", `DIE_URL="die:8080": ` + url},
		{"roll", "SEED=lucky", seed},
		{"frontend", "ADDR=8080", addr},
		{"frontend", "ROLL_URL=", "ROLL_URL" + unset},
		{"frontend", "ROLL_URL=roll:8080", `ROLL_URL="roll:8080": ` + url},
		{"frontend", "DIE_URL=", "DIE_URL" + unset},
		{"frontend", "GRAFANA_URL=grafana", `GRAFANA_URL="grafana": ` + url},
		{"die", "ADDR=8080", addr},
		{"die", "LATENCY=slow", `LATENCY="slow": ` + wait},
		{"die", "LATENCY=11s", `LATENCY="11s": ` + wait},
	}
	for _, name := range stages(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stage := load(t, name)
			programs := build(t, stage)
			for _, test := range tests {
				variable, _, _ := strings.Cut(test.setting, "=")
				if program := programs[test.service]; program != "" && knows(stage.Service(test.service), variable) {
					if got, want := refusal(t, program, stage.Service(test.service), test.setting), test.service+": "+test.want+"\n"; got != want {
						t.Errorf("%s with %s says %q, want %q", test.service, test.setting, got, want)
					}
				}
			}
		})
	}
}

// knows reports whether a service reads a variable: all read ADDR, and compose.yaml sets the others.
func knows(service *compose.Service, variable string) bool {
	return variable == "ADDR" || slices.ContainsFunc(service.Environment, func(setting string) bool {
		return strings.HasPrefix(setting, variable+"=")
	})
}

// build builds the services of a stage that listen, and returns their programs by name.
func build(t *testing.T, stage *compose.Stage) map[string]string {
	t.Helper()
	programs := make(map[string]string)
	directory := t.TempDir()
	for _, service := range stage.Services {
		if service.Name != compose.Traffic {
			programs[service.Name] = filepath.Join(directory, service.Name)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	arguments := []string{"build", "-ldflags=-s -w", "-o", directory + "/"}
	for name := range maps.Keys(programs) {
		arguments = append(arguments, "./"+name)
	}
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Dir = stage.Dir
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", stage.Name, err, output)
	}
	return programs
}

// refusal returns all that a service says that is started with a bad setting. It must end with exit code 1.
func refusal(t *testing.T, program string, service *compose.Service, setting string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, program)
	command.Env = slices.Concat(os.Environ(), service.Environment, []string{setting})
	output, err := command.CombinedOutput()
	if command.ProcessState == nil || command.ProcessState.ExitCode() != 1 {
		t.Errorf("%s with %s: %v, want exit code 1", service.Name, setting, err)
	}
	return string(output)
}
