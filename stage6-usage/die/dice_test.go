package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestReadDice(t *testing.T) {
	const (
		good = `{"faces": [1,2,3,4,5,6], "error_rate": 0}`
		want = "want one object with a die for each name: "
	)
	tests := []struct {
		name, content string
		identifiers   []string
		err           string
	}{
		{"order of the file", `{"z": ` + good + `, "a": ` + good + `, "m": ` + good + `}`, []string{"z", "a", "m"}, ""},
		{"always fails", `{"a": {"faces": [0,0,-1,0,0,9], "error_rate": 1}}`, []string{"a"}, ""},
		{"nothing", ``, nil, want + "unexpected end of JSON input"},
		{"list", `[` + good + `]`, nil, want + "json: cannot unmarshal array into Go value of type map[string]json.RawMessage"},
		{"cut off", `{"a": ` + good, nil, want + "unexpected end of JSON input"},
		{"two documents", `{"a": ` + good + `}{}`, nil, want + "invalid character '{' after top-level value"},
		{"no dice", `{}`, nil, "contains no dice"},
		{"null", `null`, nil, "contains no dice"},
		{"five sides", `{"ok": ` + good + `, "odd": {"faces": [1,2,3,4,5], "error_rate": 0}}`, nil, `die "odd": faces: has 5, must have 6`},
		{"no faces", `{"odd": {"error_rate": 0}}`, nil, `die "odd": faces: has 0, must have 6`},
		{"die null", `{"odd": null}`, nil, `die "odd": faces: has 0, must have 6`},
		{"no error rate", `{"odd": {"faces": [1,2,3,4,5,6]}}`, nil, `die "odd": error_rate: missing, must be from 0 to 1`},
		{"error rate too low", `{"odd": {"faces": [1,2,3,4,5,6], "error_rate": -0.1}}`, nil, `die "odd": error_rate: is -0.1, must be from 0 to 1`},
		{"error rate too high", `{"odd": {"faces": [1,2,3,4,5,6], "error_rate": 1.5}}`, nil, `die "odd": error_rate: is 1.5, must be from 0 to 1`},
		{"face is no number", `{"odd": {"faces": [1,2,3,4,5,"6"], "error_rate": 0}}`, nil, `die "odd": json: cannot unmarshal string into Go struct field die.faces of type int`},
		{"misspelt field", `{"odd": {"faces": [1,2,3,4,5,6], "error": 0}}`, nil, `die "odd": json: unknown field "error"`},
		{"twice", `{"a": ` + good + `, "a": ` + good + `}`, nil, `die "a": the name must be unique and not empty`},
		{"no name", `{"": ` + good + `}`, nil, `die "": the name must be unique and not empty`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "dice.json")
			if err := os.WriteFile(file, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			all, err := readDice(file)
			if (err == nil) != (test.err == "") || err != nil && err.Error() != test.err {
				t.Errorf("error %v\nwant  %s", err, test.err)
			}
			if !slices.Equal(all.identifiers, test.identifiers) {
				t.Errorf("identifiers %v, want %v", all.identifiers, test.identifiers)
			}
		})
	}
	if _, err := readDice("nowhere.json"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: error %v", err)
	}
}

// FuzzReadDice wants an error, or dice that the rest of the service can rely on.
func FuzzReadDice(f *testing.F) {
	for _, seed := range []string{``, `{}`, `null`, `{"a":{"faces":[1,2,3,4,5,6],"error_rate":0.5}}`, `{"a":1,"a":2}`, `{"":null}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		file := filepath.Join(t.TempDir(), "dice.json")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		all, err := readDice(file)
		if err != nil {
			return
		}
		if len(all.identifiers) == 0 || len(all.identifiers) != len(all.byID) {
			t.Errorf("%d identifiers of %d dice", len(all.identifiers), len(all.byID))
		}
		for _, identifier := range all.identifiers {
			d, ok := all.byID[identifier]
			if !ok || len(d.Faces) != 6 || *d.ErrorRate < 0 || *d.ErrorRate > 1 {
				t.Errorf("die %q: %+v", identifier, d)
			}
		}
	})
}
