package main

import (
	"slices"
	"strings"
	"testing"
)

func TestReadPage(t *testing.T) {
	tests := []struct {
		name, html string
		dice       []string
		status     int
		err        string // of the page, or of the status in its box
	}{
		{"roll", `<select><option value="fair">Fair<option>risky</select><output>200 OK` + "\n" + `{"roll":5}</output>`, []string{"fair", "risky"}, 200, ""},
		{"escaped", `<select><option value="a&amp;b">x</select><output>404 &lt;b&gt;</output>`, []string{"a&b"}, 404, ""},
		{"no dice", `<output>503 Service Unavailable</output>`, nil, 503, ""},
		{"before a run", `<select><option value="fair">Fair</select><output></output>`, []string{"fair"}, 0, `no status in the output box: ""`},
		{"other page", `<p>Welcome to nginx`, nil, 0, "unexpected page: 404 Not Found"},
		{"empty", ``, nil, 0, "unexpected page: 404 Not Found"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := readPage(404, strings.NewReader(test.html))
			status := 0
			if err == nil {
				status, err = got.replyStatus()
			}
			if !slices.Equal(got.dice, test.dice) || status != test.status {
				t.Errorf("dice %v, status %d, want %v, %d", got.dice, status, test.dice, test.status)
			}
			if (err == nil) != (test.err == "") || err != nil && err.Error() != test.err {
				t.Errorf("error %v, want %q", err, test.err)
			}
		})
	}
}
