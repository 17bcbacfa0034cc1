package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/dice/shared/httpjson"
)

// TestBadDatabaseAtARequest wants an error that a caller can read, and one record for us, and that all is well again
// as soon as the fault is gone.
func TestBadDatabaseAtARequest(t *testing.T) {
	tests := []struct {
		name   string
		spoil  func(t *testing.T, file string)
		reason string
		mended bool // by removing what spoil did, without a restart
	}{
		{"locked", func(t *testing.T, file string) { t.Cleanup(lock(t, file)) }, "database is locked", true},
		{"damaged", func(t *testing.T, file string) { overwrite(t, file, strings.Repeat("no database ", 100)) }, "file is not a database", false},
		{"gone", func(_ *testing.T, file string) { os.RemoveAll(filepath.Dir(file)) }, "unable to open database file: no such file or directory", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "dice.db")
			s := open(t, file, specify(0, "a"))
			router := newRouter(handler{store: s})
			t.Run("spoilt", func(t *testing.T) {
				s.db.SetMaxIdleConns(0) // connections that are open keep their file, and keep others from locking it
				test.spoil(t, file)
				for _, query := range []string{"", "identifier=a", "identifier=nope"} {
					checkUnavailable(t, router, query, test.reason)
				}
			})
			if got := send(t.Context(), router, http.MethodGet, "/dice", "identifier=a"); test.mended && got.Code != http.StatusOK {
				t.Errorf("afterwards status %d %s", got.Code, got.Body)
			}
		})
	}
}

func checkUnavailable(t *testing.T, router http.Handler, query, reason string) {
	t.Helper()
	start := time.Now()
	var got struct{ Error string }
	records := recordsOf(t, func() {
		reply := send(t.Context(), router, http.MethodGet, "/dice", query)
		if err := json.Unmarshal(reply.Body.Bytes(), &got); err != nil || reply.Code != http.StatusServiceUnavailable {
			t.Errorf("status %d %s", reply.Code, reply.Body)
		}
	})
	if got.Error != "the database is not responding; try again later" {
		t.Errorf("error %q", got.Error)
	}
	if len(records) != 1 || records[0] != (record{"ERROR", "lookup failed", reason}) {
		t.Errorf("logged %+v, want one ERROR: %s", records, reason)
	}
	if waited := time.Since(start); waited > 10*time.Second {
		t.Errorf("it took %s", waited)
	}
}

type record struct{ Level, Msg, Error string }

// recordsOf returns what do logs.
func recordsOf(t *testing.T, do func()) (records []record) {
	t.Helper()
	var out bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&out, nil)))
	defer slog.SetDefault(before)
	do()
	for line := range strings.Lines(out.String()) {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
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
		records := recordsOf(t, func() {
			if got := send(ctx, router, http.MethodGet, "/dice", "identifier=a"); got.Code != httpjson.StatusClientClosedRequest {
				t.Errorf("status %d for a caller who left", got.Code)
			}
		})
		if len(records) != 1 || records[0] != (record{"INFO", "lookup canceled by the caller", ""}) {
			t.Errorf("logged %+v", records)
		}
	})
}

// TestPoolKeepsItsConnections lends all of them out, and wants them open when they are back.
func TestPoolKeepsItsConnections(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "dice.db"), specify(0, "a"))
	var lent [connections]*sql.Conn
	for i := range lent {
		var err error
		if lent[i], err = s.db.Conn(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, connection := range lent {
		connection.Close()
	}
	if stats := s.db.Stats(); stats.Idle != connections {
		t.Errorf("%d connections are open, want %d", stats.Idle, connections)
	}
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
