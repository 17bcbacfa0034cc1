package main

import (
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// lockIndex takes all locks of a database for readers and writers: the bytes 120 to 127 of its -shm file
// (https://sqlite.org/walformat.html). SQLite tries again for 10 s to get one of them, and takes no notice of an interrupt.
func lockIndex(t *testing.T, file string) (unlock func()) {
	t.Helper()
	const setOFDLock = 37 // F_OFD_SETLK: a lock that excludes also the process which has it; syscall has no name for it
	index, err := os.OpenFile(file+"-shm", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.FcntlFlock(index.Fd(), setOFDLock, &syscall.Flock_t{Type: syscall.F_WRLCK, Start: 120, Len: 8}); err != nil {
		t.Fatal(err)
	}
	return func() { index.Close() }
}

func TestRequestDoesNotWaitForLocksOfTheIndex(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dice.db")
	router := newRouter(handler{store: open(t, file, specify(0, "a"))})
	unlock := lockIndex(t, file)
	start := time.Now()
	checkUnavailable(t, router, "identifier=a", "context deadline exceeded")
	if waited := time.Since(start); waited > 5*queryTimeout {
		t.Errorf("it took %s, want %s", waited, queryTimeout)
	}
	unlock()
	if got := send(t.Context(), router, http.MethodGet, "/dice", "identifier=a"); got.Code != http.StatusOK {
		t.Errorf("afterwards status %d %s", got.Code, got.Body)
	}
}

func TestStartEndsIfTheIndexIsLocked(t *testing.T) {
	t.Parallel() // SQLite waits for 10 s
	file := filepath.Join(t.TempDir(), "dice.db")
	open(t, file, specify(0, "a")) // makes the index, and keeps it
	defer lockIndex(t, file)()
	const want = "locking protocol: another program uses it, stop that one"
	if _, err := openStore(t.Context(), file, specify(0, "a")); err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}
