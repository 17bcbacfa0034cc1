package main

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"slices"
	"testing"
)

// TestUserSignsInAgain wants a user whose session is gone to go on.
func TestUserSignsInAgain(t *testing.T) {
	got := startTarget(t)
	u := newUsers(config{target: got.URL, users: 1, maxRollsPerUser: 1, maxTimesPerRoll: 2})[0]
	for range 2 {
		for range 2 {
			if status, _, err := u.roll(t.Context()); err != nil || status != 200 {
				t.Fatalf("status %d, %v", status, err)
			}
		}
		u.client.Jar, _ = cookiejar.New(nil)
	}
	if want := []string{u.name, u.name}; len(got.dice) != 4 || !slices.Equal(got.signIns, want) {
		t.Errorf("%d rolls, sign-ins %v, want 4 and %v", len(got.dice), got.signIns, want)
	}
}

func TestSignInFails(t *testing.T) {
	tests := []struct {
		name, after string // the page after the sign-in
		status      int
		err         string
	}{
		{"refused", `<form action="/sign-in"></form><output>400 Bad Request</output>`, 400, ""},
		{"without effect", `<form action="/sign-in"></form>`, 0, `no status in the output box: ""`},
		{"other page", `Welcome`, 0, "unexpected page: 200 OK"},
		{"no dice", `<output>503 Service Unavailable</output>`, 503, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `<form action="/sign-in"></form>`) })
			mux.HandleFunc("POST /sign-in", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, test.after) })
			server := httptest.NewServer(mux)
			defer server.Close()
			u := newUsers(config{target: server.URL, users: 1, maxRollsPerUser: 1, maxTimesPerRoll: 2})[0]
			status, dice, err := u.roll(t.Context())
			if status != test.status || dice != 0 || (err == nil) != (test.err == "") || err != nil && err.Error() != test.err {
				t.Errorf("status %d, %d dice, %v, want %d, 0, %q", status, dice, err, test.status, test.err)
			}
		})
	}
}
