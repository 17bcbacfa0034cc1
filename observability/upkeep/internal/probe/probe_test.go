package probe

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	p := &Probe{want: map[string][]string{Usage: {"0", "4"}, Dice: {"1", "2"}}}
	tests := []struct {
		name        string
		dice, usage []string
		want        []string // parts of the error; none: no error
	}{
		{"in any order", []string{"2", "1"}, []string{"0", "4"}, nil},
		{"nothing", nil, nil, []string{"dice: of 2 records, 2 are missing, and 0", "usage: of 2 records, 2 are missing, and 0"}},
		{"one is missing", []string{"1"}, []string{"0", "4"}, []string{"dice: of 2 records, 1 are missing, and 0"}},
		{"at both", []string{"1", "2", "4"}, []string{"0", "4"}, []string{"dice: of 2 records, 0 are missing, and 1"}},
		{"at the wrong one", []string{"1"}, []string{"0", "2", "4"}, []string{"dice: of 2 records, 1 are missing, and 0", "usage: of 2 records, 0 are missing, and 1"}},
		{"twice", []string{"1", "2"}, []string{"0", "0", "4"}, []string{"usage: of 2 records, 0 are missing, and 1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := p.Check(map[string][]string{Dice: test.dice, Usage: test.usage})
			if (err == nil) != (test.want == nil) {
				t.Errorf("%v, want %v", err, test.want)
			}
			for _, part := range test.want {
				if err != nil && !strings.Contains(err.Error(), part) {
					t.Errorf("%v, want %s", err, part)
				}
			}
			if err != nil && strings.Count(err.Error(), "missing") != len(test.want) {
				t.Errorf("%v, want only %v", err, test.want)
			}
		})
	}
}
