//go:build measurements

package measurements

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/dice/observability/upkeep/internal/stack"
)

// shellImage is an image that has one. The stack's own have none.
const shellImage = "golang:1.26-bookworm"

// services returns the stage's services that have requests.
func services(t *testing.T, s *stack.Stack) []string {
	t.Helper()
	var names []string
	for _, name := range strings.Fields(s.Compose(t, "config", "--services")) {
		switch name {
		case "roll", "frontend", "die":
			names = append(names, name)
		}
	}
	return names
}

// smallQueue returns the compose files of a stage whose collector has a small disk for its queue.
func smallQueue(t *testing.T) string {
	t.Helper()
	const small = "volumes: {queue: {driver_opts: {type: tmpfs, device: tmpfs, o: \"size=16m,mode=0777\"}}}\n"
	file := filepath.Join(t.TempDir(), "queue.yaml")
	if err := os.WriteFile(file, []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	return "compose.yaml" + string(os.PathListSeparator) + file
}

// fillQueue leaves no room on the queue's disk, which must be the small one, and pauses the engines, so that the queue must grow.
func fillQueue(t *testing.T, s *stack.Stack) {
	s.Docker(t, "run", "--rm", "--volume", s.Stage+"_queue:/queue", shellImage, "sh", "-c", "! dd if=/dev/zero of=/queue/ballast bs=1M count=64 2>/dev/null")
	s.Compose(t, append([]string{"pause"}, stack.Engines...)...)
}

func emptyQueue(t *testing.T, s *stack.Stack) {
	s.Docker(t, "run", "--rm", "--volume", s.Stage+"_queue:/queue", shellImage, "rm", "/queue/ballast")
	s.Compose(t, append([]string{"unpause"}, stack.Engines...)...)
}

const lockVariable = "DICE_LOCK" // the file that this binary locks, where it runs no tests

func TestMain(m *testing.M) {
	if file := os.Getenv(lockVariable); file != "" {
		if err := lock(file); err != nil {
			panic(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// lockDatabase keeps all readers out of the die service's database for 10 s.
func lockDatabase(t *testing.T, s *stack.Stack) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s.Docker(t, "run", "--rm", "--volume", s.Stage+"_database:/database", "--volume", binary+":/lock:ro",
		"--env", lockVariable+"=/database/dice.db-shm", shellImage, "/lock")
}

// lock takes all of SQLite's locks for readers and writers of a database in WAL mode: the bytes 120 to 127 of its -shm file
// (https://sqlite.org/walformat.html).
func lock(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_SETLKW, &syscall.Flock_t{Type: syscall.F_WRLCK, Start: 120, Len: 8}); err != nil {
		return err
	}
	time.Sleep(10 * time.Second)
	return nil
}
