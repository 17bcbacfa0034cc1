package stages

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// checkSignIn signs in and out as browsers do, and as nobody should.
func checkSignIn(t *testing.T, s *service, rolls *backend) {
	t.Helper()
	checkSession(t, s)
	checkSignOutDuringARun(t, s, rolls)
	checkCookie(t, s)
	checkTokens(t, s)
	checkSignInNames(t, s)
	checkSignInForms(t, s)
}

// signInAs signs in, and returns the header that holds the session.
func signInAs(t *testing.T, s *service, name string, header ...string) []string {
	t.Helper()
	reply := send(t.Context(), t, s, request{name: name, method: "POST", target: "/sign-in", body: url.Values{"name": {name}}.Encode(), header: header})
	cookies := reply.Cookies()
	if reply.StatusCode != http.StatusSeeOther || reply.Header.Get("Location") != "/" || len(cookies) != 1 {
		t.Fatalf("sign-in as %q: status %d, to %q, cookies %v", name, reply.StatusCode, reply.Header.Get("Location"), cookies)
	}
	s.wantRecord(t, reply.trace, "INFO sign-in")
	return []string{"Cookie", cookies[0].Name + "=" + cookies[0].Value}
}

// openAs opens the page with a cookie, and wants it to be that of a user, or the sign-in form.
func openAs(t *testing.T, s *service, what, cookie, user string) {
	t.Helper()
	_, got := browse(t, s, request{name: what, method: "GET", target: "/", header: []string{"Cookie", cookie}, status: 200})
	if got.user != user || got.signIn == (user != "") || (got.dice == nil) != (user == "") {
		t.Errorf("%s: %+v, want the page of %q", what, got, user)
	}
}

func checkSession(t *testing.T, s *service) {
	t.Helper()
	run := request{name: "a run without a session", method: "POST", target: "/", body: "die=fair", status: 403, want: "403 Forbidden\nsign in first"}
	run.record = "WARN run refused: nobody is signed in"
	if reply, got := browse(t, s, run); len(reply.Cookies()) > 0 || !got.signIn {
		t.Errorf("a run without a session: cookies %v, want none, and the sign-in form", reply.Cookies())
	}
	openAs(t, s, "before", "", "")
	session := signInAs(t, s, "Ada")
	openAs(t, s, "after", session[1], "Ada")
	ran := request{name: "a run", method: "POST", target: "/", body: "die=fair", header: session, status: 200, want: "200 OK\n{}"}
	if _, got := browse(t, s, ran); got.user != "Ada" {
		t.Errorf("a run of Ada shows the page of %q", got.user)
	}
	reply := send(t.Context(), t, s, request{name: "sign-out", method: "POST", target: "/sign-out", header: session})
	if cookies := reply.Cookies(); reply.StatusCode != http.StatusSeeOther || reply.Header.Get("Location") != "/" || len(cookies) != 1 || cookies[0].MaxAge >= 0 {
		t.Errorf("sign-out: status %d, to %q, cookies %v, want 303 to /, and one that deletes", reply.StatusCode, reply.Header.Get("Location"), cookies)
	}
	s.wantRecord(t, reply.trace, "INFO sign-out")
	openAs(t, s, "the session that has ended", session[1], "")
	run.header = session
	browse(t, s, run)
}

// checkSignOutDuringARun wants a run that ends later not to bring the session back.
func checkSignOutDuringARun(t *testing.T, s *service, rolls *backend) {
	t.Helper()
	session := signInAs(t, s, "Ada")
	rolls.answer(func(w http.ResponseWriter, r *http.Request) {
		post(r.Context(), t, s.url+"/sign-out", "", session...)
		replyWith(200, "{}")(w, r)
	})
	defer rolls.answer(replyWith(200, "{}"))
	reply, _ := browse(t, s, request{name: "sign-out during a run", method: "POST", target: "/", body: "die=fair", header: session, status: 200, want: "200 OK\n{}"})
	if len(reply.Cookies()) > 0 {
		t.Errorf("a run after whose begin the user signed out sets %v", reply.Cookies())
	}
	openAs(t, s, "after the sign-out during a run", session[1], "")
}

func checkCookie(t *testing.T, s *service) {
	t.Helper()
	reply := send(t.Context(), t, s, request{name: "cookie", method: "POST", target: "/sign-in", body: "name=Ada"})
	cookies := reply.Cookies()
	if len(cookies) != 1 {
		t.Fatalf("cookies %v, want one", cookies)
	}
	got := cookies[0]
	if !got.HttpOnly || got.SameSite != http.SameSiteLaxMode || got.Path != "/" || got.Domain != "" || got.Secure {
		t.Errorf("cookie %s", got)
	}
	const lifetime = 12 * time.Hour
	if age := time.Duration(got.MaxAge) * time.Second; age < lifetime-time.Minute || age > lifetime+time.Minute {
		t.Errorf("the cookie lives for %s, want %s", age, lifetime)
	}
	if strings.Contains(got.Value, "Ada") || len(got.Value) < 43 { // 32 random bytes
		t.Errorf("token %q", got.Value)
	}
}

// checkTokens wants a session for the token of the latest sign-in, and for no other.
func checkTokens(t *testing.T, s *service) {
	t.Helper()
	first := signInAs(t, s, "Ada")
	second := signInAs(t, s, "Grace", first...)
	forged := "session=" + strings.Repeat("A", 43)
	fixed := signInAs(t, s, "Eve", "Cookie", forged)
	for _, test := range []struct{ name, cookie, user string }{
		{"first", first[1], ""},
		{"second", second[1], "Grace"},
		{"forged", forged, ""},
		{"signed in with a forged one", fixed[1], "Eve"},
		{"empty", "session=", ""},
		{"overlong", "session=" + strings.Repeat("A", 60_000), ""},
		{"a forged one before the good one", forged + "; " + second[1], ""},
		{"a forged one after the good one", second[1] + "; " + forged, "Grace"},
		{"nonsense", "session=\xff\xfe; session=x", ""},
	} {
		openAs(t, s, test.name, test.cookie, test.user)
	}
	if first[1] == second[1] || fixed[1] == forged {
		t.Error("a sign-in has kept its token")
	}
}

func checkSignInNames(t *testing.T, s *service) {
	t.Helper()
	for name, user := range map[string]string{
		"Ada":                     "Ada",
		"  Ada\t\n":               "Ada",
		"Mary-Jane O'Neill Jr._2": "Mary-Jane O'Neill Jr._2",
		"Zoë":                     "Zoë",
		"Zoe\u0308":               "Zoe\u0308",
		"अदिति":                   "अदिति",
		"李":                       "李",
		strings.Repeat("ß", 32):   strings.Repeat("ß", 32),
	} {
		openAs(t, s, name, signInAs(t, s, name)[1], user)
	}
	for _, name := range []string{
		strings.Repeat("ß", 33), "", " \t ", "...",
		"\u0308", // a mark without a letter
		"Ada\nGrace", "Ada\r\nSet-Cookie: session=x", "Ada\tGrace", "Ada\x00",
		"Ada\u2028Grace", // another line break
		"Ada\u202eadA",   // text from right to left
		"\xff", "<script>alert(1)</script>", `"><b>Ada</b>&amp;`, "ada@example.com",
	} {
		reply, got := browse(t, s, request{
			name: name, method: "POST", target: "/sign-in", body: url.Values{"name": {name}}.Encode(), record: "WARN sign-in refused",
			status: 400, want: "400 Bad Request\na name must have 1 to 32 characters: letters, digits, spaces and . - _ '",
		})
		if !got.signIn || len(reply.Cookies()) > 0 {
			t.Errorf("%q: cookies %v, want none, and the form", name, reply.Cookies())
		}
		if printable := `"><b>Ada</b>&amp;`; name == printable && got.name != name {
			t.Errorf("the field has %q, want %q", got.name, name)
		}
	}
}

// checkSignInForms posts forms that are none, and those that other sites post: they sign nobody in or out.
func checkSignInForms(t *testing.T, s *service) {
	t.Helper()
	const wrong = "the form cannot be read: it must be URL-encoded and have at most 1024 bytes"
	for _, r := range []request{
		{body: "name=%zz", status: 400, want: "400 Bad Request\n" + wrong},
		{body: "name=" + strings.Repeat("x", 1<<10), status: 413, want: "413 Request Entity Too Large\n" + wrong},
	} {
		r.name, r.method, r.target, r.record = r.body[:8], "POST", "/sign-in", "WARN sign-in refused"
		browse(t, s, r)
	}
	session := signInAs(t, s, "Ada")
	for _, target := range []string{"/sign-in", "/sign-out"} {
		ask(t, s, request{name: target, method: "GET", target: target, status: 405, want: `{"error":"this path allows POST only"}`})
		for _, site := range []string{"cross-site", "same-origin"} {
			reply := send(t.Context(), t, s, request{name: target, method: "POST", target: target, body: "name=Eve", header: append([]string{"Sec-Fetch-Site", site}, session...)})
			want := map[string]int{"cross-site": http.StatusForbidden, "same-origin": http.StatusSeeOther}[site]
			if reply.StatusCode != want || (len(reply.Cookies()) > 0) != (want == http.StatusSeeOther) {
				t.Errorf("%s from %s: status %d, cookies %v, want %d", target, site, reply.StatusCode, reply.Cookies(), want)
			}
		}
	}
	large := send(t.Context(), t, s, request{name: "sign-out with a form", method: "POST", target: "/sign-out", body: strings.Repeat("x", 1<<10+1)})
	if large.StatusCode != http.StatusSeeOther {
		t.Errorf("sign-out with a form that it does not need: status %d", large.StatusCode)
	}
}
