package main

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lock is another process that has the whole database to itself, until the function that it returns is called.
func lock(t *testing.T, file string) (unlock func()) {
	t.Helper()
	other, err := sql.Open("sqlite3", "file:"+file+"?_locking_mode=EXCLUSIVE")
	if err != nil {
		t.Fatal(err)
	}
	other.SetMaxOpenConns(1)
	if _, err := other.ExecContext(t.Context(), `CREATE TABLE IF NOT EXISTS other (x); DELETE FROM other`); err != nil {
		t.Fatal(err)
	}
	return func() { other.Close() }
}

func TestBadDatabaseAtTheStart(t *testing.T) {
	const (
		write = ": the service needs write access to this file and its directory"
		anew  = ": move it elsewhere, with its -wal and -shm files; it will be rebuilt from DICE_FILE"
	)
	tests := []struct {
		name string
		make func(t *testing.T, file string)
		err  string
	}{
		{"locked", func(t *testing.T, file string) { t.Cleanup(lock(t, file)) }, "database is locked: another program is using it; stop that program"},
		{"not a database", func(t *testing.T, file string) { overwrite(t, file, strings.Repeat("no database ", 100)) }, "file is not a database" + anew},
		{"cut off", cutOff, "database disk image is malformed" + anew},
		{"a folder", func(_ *testing.T, file string) { os.Mkdir(file, 0o700) }, "unable to open database file: is a directory" + write},
		{"no folder", func(_ *testing.T, file string) { os.Remove(filepath.Dir(file)) }, "unable to open database file: no such file or directory" + write},
		{"another table", otherTable, `die "a": table dice has no column named position`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // a lock is waited for
			file := filepath.Join(t.TempDir(), "dice.db")
			test.make(t, file)
			if _, err := openStore(t.Context(), file, specify(0, "a")); err == nil || err.Error() != test.err {
				t.Errorf("error %v\nwant  %s", err, test.err)
			}
		})
	}
}

func overwrite(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// cutOff leaves half of a database.
func cutOff(t *testing.T, file string) {
	t.Helper()
	s, err := openStore(t.Context(), file, specify(0, "a"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, info.Size()/2); err != nil {
		t.Fatal(err)
	}
}

func otherTable(t *testing.T, file string) {
	t.Helper()
	other, err := sql.Open("sqlite3", file)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.ExecContext(t.Context(), `CREATE TABLE dice (identifier TEXT PRIMARY KEY)`); err != nil {
		t.Fatal(err)
	}
}

func TestServiceThatWaitedForALockStarts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dice.db")
	unlock := lock(t, file)
	time.AfterFunc(2*busyTimeout, unlock)
	all := specify(0, "a")
	check(t, open(t, file, all), all)
}

func TestStartCanBeCanceled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dice.db")
	defer lock(t, file)()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := openStore(ctx, file, specify(0, "a")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestSettingsReachSQLite asks for them, because SQLite takes no notice of a setting that it does not know.
func TestSettingsReachSQLite(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "dice.db"), specify(0, "a"))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "1", "busy_timeout": "500", "foreign_keys": "1"} {
		var got string
		if err := s.db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, %v, want %q", pragma, got, err, want)
		}
	}
}
