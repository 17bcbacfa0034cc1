package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/dice/shared/httpjson"
)

// TestLockedDatabaseAtARequest wants an error that a caller can read, and one record for us, and that all is well again as soon
// as the lock is gone.
func TestLockedDatabaseAtARequest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dice.db")
	s := open(t, file, specify(0, "a"))
	router := newRouter(handler{store: s})
	s.db.SetMaxIdleConns(0) // connections that are open keep others from locking the file
	unlock := lock(t, file)
	for _, query := range []string{"", "identifier=a", "identifier=nope"} {
		checkUnavailable(t, router, query, "database is locked")
	}
	unlock()
	if got := send(t.Context(), router, "/dice", "identifier=a"); got.Code != http.StatusOK {
		t.Errorf("afterwards status %d %s", got.Code, got.Body)
	}
}

func checkUnavailable(t *testing.T, router http.Handler, query, reason string) {
	t.Helper()
	var reply *httptest.ResponseRecorder
	records := recordsOf(func() { reply = send(t.Context(), router, "/dice", query) })
	if want := `{"error":"the database is not responding; try again later"}` + "\n"; reply.Code != http.StatusServiceUnavailable || reply.Body.String() != want {
		t.Errorf("status %d %s", reply.Code, reply.Body)
	}
	if want := fmt.Sprintf("level=ERROR msg=%q error=%q\n", "lookup failed", reason); records != want {
		t.Errorf("logged %s, want %s", records, want)
	}
}

// recordsOf returns what do logs, without the time.
func recordsOf(do func()) string {
	var out strings.Builder
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})))
	do()
	return out.String()
}

// TestBusyPool takes all connections away. Nobody waits longer for one than for a query, and a caller who leaves not even
// that long.
func TestBusyPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, filepath.Join(t.TempDir(), "dice.db"), specify(0, "a"))
		router := newRouter(handler{store: s})
		for range connections {
			connection, err := s.db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
		}
		for _, query := range []string{"", "identifier=a"} {
			start := time.Now()
			checkUnavailable(t, router, query, context.DeadlineExceeded.Error())
			if waited := time.Since(start); waited != queryTimeout {
				t.Errorf("waited %s, want %s", waited, queryTimeout)
			}
		}

		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		records := recordsOf(func() {
			if got := send(ctx, router, "/dice", "identifier=a"); got.Code != httpjson.StatusClientClosedRequest {
				t.Errorf("status %d for a caller who left", got.Code)
			}
		})
		if want := "level=INFO msg=\"lookup canceled by the caller\"\n"; records != want {
			t.Errorf("logged %s, want %s", records, want)
		}
	})
}

// TestOrderIsThatOfTheFile has SQLite return rows backwards wherever a query does not say in which order.
func TestOrderIsThatOfTheFile(t *testing.T) {
	all := specify(0, "b", "a")
	s := open(t, filepath.Join(t.TempDir(), "dice.db"), all)
	s.db.SetMaxOpenConns(1) // the next line is for one connection
	if _, err := s.db.ExecContext(t.Context(), `PRAGMA reverse_unordered_selects = ON`); err != nil {
		t.Fatal(err)
	}
	check(t, s, all)
}

// TestQueryThatBreaksOff has no answer: half of the rows are none.
func TestQueryThatBreaksOff(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "dice.db"), specify(0, "a"))
	const rows = ` FROM (SELECT 0 AS i UNION ALL SELECT 1)` // the second is one too many for abs
	var err error
	if s.identifiers, err = s.db.PrepareContext(t.Context(), `SELECT abs(i * -9223372036854775808)`+rows); err != nil {
		t.Fatal(err)
	}
	if s.die, err = s.db.PrepareContext(t.Context(), `SELECT 0.5, abs(i * -9223372036854775808)`+rows+` WHERE ? != ''`); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{"", "identifier=a"} {
		checkUnavailable(t, newRouter(handler{store: s}), query, "integer overflow")
	}
}
