package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestNames(t *testing.T) {
	const refused = "400 Bad Request\na name must have 1 to 32 characters: letters, digits, spaces and . - _ '"
	tests := []struct{ name, user string }{ // no user: refused
		{"Ada", "Ada"},
		{"  Ada\t\n", "Ada"},
		{"Mary-Jane O'Neill Jr._2", "Mary-Jane O'Neill Jr._2"},
		{"Zoë", "Zoë"},
		{"Zoe\u0308", "Zoe\u0308"},
		{"अदिति", "अदिति"},
		{"李", "李"},
		{strings.Repeat("ß", 32), strings.Repeat("ß", 32)},
		{strings.Repeat("ß", 33), ""},
		{"", ""},
		{" \t ", ""},
		{"...", ""},
		{"\u0308", ""}, // a mark without a letter
		{"Ada\nGrace", ""},
		{"Ada\r\nSet-Cookie: session=x", ""},
		{"Ada\u2028Grace", ""}, // another line break
		{"Ada\tGrace", ""},
		{"Ada\x00", ""},
		{"Ada\u202eadA", ""}, // text from right to left
		{"\xff", ""},
		{"<script>alert(1)</script>", ""},
		{`"><b>`, ""},
		{"ada@example.com", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			router := newRouter(newTestHandler(knownDice(), newRollService("http://127.0.0.1:1", time.Second)))
			reply := postTo(t.Context(), router, "/sign-in", url.Values{"name": {test.name}}.Encode())
			if test.user != "" {
				if got := open(t, router, sessionCookie(reply)); reply.Code != http.StatusSeeOther || got.user != "Signed in as "+test.user {
					t.Errorf("status %d, %q, want %q", reply.Code, got.user, test.user)
				}
				return
			}
			cookies := reply.Result().Cookies()
			got := readPage(t, reply)
			if got.status != http.StatusBadRequest || got.output != refused || !got.signIn || len(cookies) > 0 || got.elements > 0 {
				t.Errorf("%+v, cookies %v, want %q and the form", got, cookies, refused)
			}
		})
	}
}

func TestRefusedNameStaysInTheField(t *testing.T) {
	const name = `"><b>Ada</b>&amp;`
	router := newRouter(newTestHandler(knownDice(), newRollService("http://127.0.0.1:1", time.Second)))
	if got := readPage(t, postTo(t.Context(), router, "/sign-in", url.Values{"name": {name}}.Encode())); got.name != name {
		t.Errorf("the field has %q, want %q", got.name, name)
	}
}

func TestWrongSignInForms(t *testing.T) {
	router := newRouter(newTestHandler(knownDice(), newRollService("http://127.0.0.1:1", time.Second)))
	tests := []struct{ form, want string }{
		{"name=%zz", "400 Bad Request\nthe form cannot be read: it must be URL-encoded and have at most 1024 bytes"},
		{"name=" + strings.Repeat("x", largestForm), "413 Request Entity Too Large\nthe form cannot be read: it must be URL-encoded and have at most 1024 bytes"},
	}
	for _, test := range tests {
		if got := readPage(t, postTo(t.Context(), router, "/sign-in", test.form)); got.output != test.want || !got.signIn {
			t.Errorf("%.20s: %q, want %q", test.form, got.output, test.want)
		}
	}
	if got := postTo(t.Context(), router, "/sign-out", strings.Repeat("x", largestForm+1)); got.Code != http.StatusSeeOther {
		t.Errorf("sign-out with a form that it does not need: status %d", got.Code)
	}
}
