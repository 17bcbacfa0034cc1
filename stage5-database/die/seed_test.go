package main

import (
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// specify returns dice as they would be in a file: one for each name, with the faces 1 to 6 and the error rate.
func specify(errorRate float64, identifiers ...string) dice {
	all := dice{identifiers: identifiers, byID: make(map[string]die)}
	for _, identifier := range identifiers {
		all.byID[identifier] = die{Faces: []int{1, 2, 3, 4, 5, 6}, ErrorRate: &errorRate}
	}
	return all
}

func open(t *testing.T, file string, all dice) *store {
	t.Helper()
	s, err := openStore(t.Context(), file, all)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close() })
	return s
}

// check wants these dice and no others, in this order, and nothing left of what was there before.
func check(t *testing.T, s *store, want dice) {
	t.Helper()
	if got, err := s.list(t.Context()); err != nil || !slices.Equal(got, want.identifiers) {
		t.Errorf("identifiers %v, %v, want %v", got, err, want.identifiers)
	}
	for _, identifier := range want.identifiers {
		got, err := s.find(t.Context(), identifier)
		if expected := want.byID[identifier]; err != nil || !slices.Equal(got.Faces, expected.Faces) || *got.ErrorRate != *expected.ErrorRate {
			t.Errorf("die %q: %+v, %v, want %+v", identifier, got, err, expected)
		}
	}
	var faces int
	if err := s.db.QueryRowContext(t.Context(), `SELECT count(*) FROM faces`).Scan(&faces); err != nil || faces != 6*len(want.identifiers) {
		t.Errorf("%d faces of %d dice, %v", faces, len(want.identifiers), err)
	}
}

// TestEachStartBringsTheDatabaseUpToDate restarts on files that change in all ways that there are.
func TestEachStartBringsTheDatabaseUpToDate(t *testing.T) {
	changed := specify(0.5, "b", "a")
	changed.byID["a"].Faces[5] = 60
	file := filepath.Join(t.TempDir(), "dice.db")
	for _, all := range []dice{
		specify(0, "a", "b", "c"),
		specify(0, "a", "b", "c"), // the same
		specify(0, "c", "a", "b"), // another order
		specify(0, "c", "b"),      // one fewer
		specify(0, "new", "b", "a"),
		changed,
		specify(1, `'; DROP TABLE dice; --`, "日本", "with\x00zero"),
	} {
		s, err := openStore(t.Context(), file, all)
		if err != nil {
			t.Fatal(err)
		}
		check(t, s, all)
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSeedThatFailsChangesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dice.db")
	all := specify(0, "a", "b")
	s := open(t, file, all)
	_, err := openStore(t.Context(), file, specify(2, "c")) // which readDice would refuse
	if want := `die "c": CHECK constraint failed: error_rate BETWEEN 0 AND 1`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	check(t, s, all)
}

func TestServicesThatStartAtOnceShareADatabase(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dice.db")
	all := specify(0, "a", "b")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			s, err := openStore(t.Context(), file, all)
			if err == nil {
				err = s.close()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	check(t, open(t, file, all), all)
}
