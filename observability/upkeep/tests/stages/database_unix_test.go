//go:build unix

package stages

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

const nobody = 65534 // a user who may write nowhere

// TestSpoiltDatabase starts a service again whose database was cut off, or that may no longer write: to the file, or to the
// folder, in which SQLite keeps its log. The stages that have a database have the same code for it.
func TestSpoiltDatabase(t *testing.T) {
	t.Parallel()
	names := stageNames(t)
	stage := load(t, names[len(names)-1])
	program := services.build(t, stage)["die"]
	const (
		readOnly  = "attempt to write a readonly database: the service needs write access to this file and its directory"
		malformed = "database disk image is malformed: move it elsewhere, with its -wal and -shm files; it will be rebuilt from DICE_FILE"
	)
	const dice = `{"fair": {"faces": [1, 2, 3, 4, 5, 6], "error_rate": 0}}`
	for _, test := range []struct {
		name         string
		folder, file os.FileMode
		cut          bool
		want         string
	}{
		{"file", 0o777, 0o444, false, readOnly},
		{"folder", 0o555, 0o666, false, readOnly},
		{"both", 0o555, 0o444, false, readOnly},
		{"cut off", 0o777, 0o666, true, malformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder, source := t.TempDir(), filepath.Join(t.TempDir(), "dice.json")
			if err := os.WriteFile(source, []byte(dice), 0o600); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(folder, "dice.db")
			settings := []string{"DICE_FILE=" + source, "DATABASE=" + file}
			t.Run("first start", func(t *testing.T) { startService(t, program, settings...) }) // and its end
			if test.cut {
				if err := os.Truncate(file, 4096); err != nil { // one page
					t.Fatal(err)
				}
			}
			for path, mode := range map[string]os.FileMode{
				filepath.Dir(folder): 0o755, source: 0o444, services.directory: 0o755, filepath.Dir(program): 0o755, // nobody may read these
				file: test.file, folder: test.folder,
			} {
				if err := os.Chmod(path, mode); err != nil {
					t.Fatal(err)
				}
			}
			process := exec.CommandContext(t.Context(), program)
			process.Env = slices.Concat(withoutTelemetry(os.Environ()), settings)
			if os.Geteuid() == 0 { // who may write everywhere
				process.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
			}
			output, err := process.CombinedOutput()
			want := fmt.Sprintf("die: DATABASE=%q: %s\n", file, test.want)
			if process.ProcessState == nil || process.ProcessState.ExitCode() != 1 || string(output) != want {
				t.Errorf("%v: %q\nwant %q", err, output, want)
			}
			if err := os.Chmod(folder, 0o700); err != nil {
				t.Fatal(err)
			}
		})
	}
}
