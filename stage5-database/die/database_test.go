package main

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
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

func TestLockedDatabaseAtTheStart(t *testing.T) {
	t.Parallel() // a lock is waited for
	file := filepath.Join(t.TempDir(), "dice.db")
	defer lock(t, file)()
	_, err := openStore(t.Context(), file, specify(0, "a"))
	if want := "database is locked: another program is using it; stop that program"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestServiceThatWaitedForALockStarts(t *testing.T) {
	t.Parallel()
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
