package main

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// TestReadOnly takes away the right to write: to the file, or to the folder, in which SQLite keeps its log.
func TestReadOnly(t *testing.T) {
	const advice = ": the service needs write access to this file and its directory"
	tests := []struct {
		name         string
		folder, file os.FileMode
		err          string
	}{
		{"file", 0o777, 0o444, "attempt to write a readonly database" + advice},
		{"folder", 0o555, 0o666, "attempt to write a readonly database" + advice},
		{"both", 0o555, 0o444, "attempt to write a readonly database" + advice},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			file := filepath.Join(folder, "dice.db")
			all := specify(0, "a")
			s := open(t, file, all)
			if err := s.close(); err != nil {
				t.Fatal(err)
			}
			modes := []struct {
				path string
				mode os.FileMode
			}{{filepath.Dir(folder), 0o755}, {file, test.file}, {folder, test.folder}}
			for _, m := range modes {
				if err := os.Chmod(m.path, m.mode); err != nil {
					t.Fatal(err)
				}
			}
			asNobody(t, func() {
				if _, err := openStore(t.Context(), file, specify(0, "b")); err == nil || err.Error() != test.err {
					t.Errorf("error %v\nwant  %s", err, test.err)
				}
			})
			for _, m := range []string{folder, file} {
				if err := os.Chmod(m, 0o700); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// asNobody does something without root's right to write everywhere.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		do()
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := syscall.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setfsuid(0)
	do()
}
