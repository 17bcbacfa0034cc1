package stages

import (
	"context"
	"fmt"
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
		url   = `want a URL such as http://localhost:8081, without user, password or query`
		wait  = `want a duration from 0s to 10s, such as 250ms`
		seed  = `SEED="lucky": want a whole number from 0 to 18446744073709551615`
		unset = " is not set"
	)
	tests := []badSetting{
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
	for _, name := range stageNames(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stage := load(t, name)
			programs := services.build(t, stage)
			for _, test := range append(tests, badFiles(t)...) {
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

// badSetting is a setting of a service, and what the service says of it.
type badSetting struct{ service, setting, want string }

// badFiles are settings that name files which the die service can do nothing with.
func badFiles(t *testing.T) []badSetting {
	t.Helper()
	const (
		write   = `: the service needs write access to this file and its directory`
		rebuilt = `: move it elsewhere, with its -wal and -shm files; it will be rebuilt from DICE_FILE`
	)
	directory := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := []struct{ variable, file, want string }{
		{"DICE_FILE", file("dice.json", `{"odd": {"faces": [1], "error_rate": 0}}`), `die "odd": faces: has 1, must have 6`},
		{"DICE_FILE", filepath.Join(directory, "nowhere"), "open " + filepath.Join(directory, "nowhere") + ": no such file or directory"},
		{"DATABASE", file("text", strings.Repeat("no database ", 100)), "file is not a database" + rebuilt},
		{"DATABASE", directory, "unable to open database file: is a directory" + write},
		{"DATABASE", filepath.Join(directory, "nowhere", "dice.db"), "unable to open database file: no such file or directory" + write},
	}
	var bad []badSetting
	for _, test := range tests {
		bad = append(bad, badSetting{"die", test.variable + "=" + test.file, fmt.Sprintf("%s=%q: %s", test.variable, test.file, test.want)})
	}
	return bad
}

// knows reports whether a service reads a variable: all read ADDR, and compose.yaml sets the others.
func knows(service *compose.Service, variable string) bool {
	return variable == "ADDR" || slices.ContainsFunc(service.Environment, func(setting string) bool {
		return strings.HasPrefix(setting, variable+"=")
	})
}

// withoutTelemetry leaves out the variables of OpenTelemetry: there is no collector, and a service would say so.
func withoutTelemetry(variables []string) []string {
	return slices.DeleteFunc(slices.Clone(variables), func(variable string) bool { return strings.HasPrefix(variable, "OTEL_") })
}

// refusal returns all that a service says that is started with a bad setting.
func refusal(t *testing.T, program string, service *compose.Service, setting string) string {
	t.Helper()
	return runAndFail(t, program, append(withoutTelemetry(service.Environment), setting))
}

// runAndFail returns all that a program says, which must end with exit code 1.
func runAndFail(t *testing.T, program string, environment []string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, program)
	command.Env = append(os.Environ(), environment...)
	output, err := command.CombinedOutput()
	if command.ProcessState == nil || command.ProcessState.ExitCode() != 1 {
		t.Errorf("%s with %v: %v, want exit code 1", program, environment, err)
	}
	return string(output)
}
