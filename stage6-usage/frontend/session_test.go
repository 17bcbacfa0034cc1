package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
)

func newTestHandler(dice dieService, rolls rollService) handler {
	return newHandler(dice, rolls, newSessions(), "http://grafana")
}

// signedIn is the page for Ada, who is signed in.
func signedIn(t testing.TB, h handler) http.Handler {
	t.Helper()
	ctx, err := h.sessions.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	h.sessions.Put(ctx, userKey, "Ada")
	token, _, err := h.sessions.Commit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	router := newRouter(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.AddCookie(&http.Cookie{Name: h.sessions.Cookie.Name, Value: token})
		router.ServeHTTP(w, r)
	})
}

// sessionCookie returns the cookie that a reply sets, as a browser sends it back.
func sessionCookie(recorder *httptest.ResponseRecorder) string {
	for _, cookie := range recorder.Result().Cookies() {
		return cookie.Name + "=" + cookie.Value
	}
	return ""
}

// open gets the page with a cookie.
func open(t *testing.T, router http.Handler, cookie string) shownPage {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	request.Header.Set("Cookie", cookie)
	recorder := httptest.NewRecorder()
	router.ServeHTTP(recorder, request)
	return readPage(t, recorder)
}

func TestSignInAndOut(t *testing.T) {
	router := newRouter(newTestHandler(knownDice(), rollsFor(t, replyWith(http.StatusOK, "{}"))))
	if got := open(t, router, ""); got.status != http.StatusOK || !got.signIn || got.user != "" || got.dice != nil {
		t.Errorf("before: %+v, want the sign-in form alone", got)
	}
	refused := post(t.Context(), router, "die=fair")
	if cookies := refused.Result().Cookies(); len(cookies) > 0 {
		t.Errorf("cookies %v without a sign-in", cookies)
	}
	if got := readPage(t, refused); got.status != http.StatusUnauthorized || got.output != "401 Unauthorized\nsign in first" || !got.signIn {
		t.Errorf("a run without a sign-in: %+v", got)
	}

	reply := postTo(t.Context(), router, "/sign-in", "name=Ada")
	if location := reply.Header().Get("Location"); reply.Code != http.StatusSeeOther || location != "/" {
		t.Errorf("sign-in: status %d, to %q, want 303 to /", reply.Code, location)
	}
	cookie := sessionCookie(reply)
	if got := open(t, router, cookie); got.user != "Signed in as Ada" || got.signIn || !slices.Equal(got.dice, []string{"fair", "risky"}) {
		t.Errorf("after: %+v, want the page of Ada", got)
	}
	if got := readPage(t, post(t.Context(), router, "die=fair", "Cookie", cookie)); got.output != "200 OK\n{}" || got.user != "Signed in as Ada" {
		t.Errorf("a run: %+v", got)
	}

	reply = postTo(t.Context(), router, "/sign-out", "", "Cookie", cookie)
	if location := reply.Header().Get("Location"); reply.Code != http.StatusSeeOther || location != "/" {
		t.Errorf("sign-out: status %d, to %q, want 303 to /", reply.Code, location)
	}
	if cookies := reply.Result().Cookies(); len(cookies) != 1 || cookies[0].MaxAge >= 0 {
		t.Errorf("cookies %v, want one that deletes", cookies)
	}
	if got := open(t, router, cookie); !got.signIn {
		t.Error("the session is still valid after the sign-out")
	}
	if got := post(t.Context(), router, "die=fair", "Cookie", cookie); got.Code != http.StatusUnauthorized {
		t.Errorf("a run with the cookie of a session that has ended: status %d", got.Code)
	}
}

func TestCookie(t *testing.T) {
	router := newRouter(newTestHandler(knownDice(), newRollService("http://127.0.0.1:1", time.Second)))
	cookies := postTo(t.Context(), router, "/sign-in", "name=Ada").Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("cookies %v, want one", cookies)
	}
	got := cookies[0]
	if !got.HttpOnly || got.SameSite != http.SameSiteLaxMode || got.Path != "/" || got.Domain != "" || got.Secure {
		t.Errorf("cookie %s", got)
	}
	if age := time.Duration(got.MaxAge) * time.Second; age < sessionLifetime-time.Minute || age > sessionLifetime+time.Minute {
		t.Errorf("it lives for %s, want %s", age, sessionLifetime)
	}
	if strings.Contains(got.Value, "Ada") || len(got.Value) < 43 { // 32 random bytes
		t.Errorf("token %q", got.Value)
	}
}

// TestTokens wants a session for the token of the latest sign-in, and for no other.
func TestTokens(t *testing.T) {
	h := newTestHandler(knownDice(), newRollService("http://127.0.0.1:1", time.Second))
	router := newRouter(h)
	first := sessionCookie(postTo(t.Context(), router, "/sign-in", "name=Ada"))
	second := sessionCookie(postTo(t.Context(), router, "/sign-in", "name=Grace", "Cookie", first))
	forged := "session=" + strings.Repeat("A", 43)
	fixed := sessionCookie(postTo(t.Context(), router, "/sign-in", "name=Eve", "Cookie", forged))
	h.sessions.Lifetime = -time.Minute
	expired := sessionCookie(postTo(t.Context(), router, "/sign-in", "name=Ada"))

	tests := []struct{ name, cookie, user string }{
		{"first", first, ""},
		{"second", second, "Signed in as Grace"},
		{"forged", forged, ""},
		{"signed in with a forged one", fixed, "Signed in as Eve"},
		{"expired", expired, ""},
		{"empty", "session=", ""},
		{"overlong", "session=" + strings.Repeat("A", 60_000), ""},
		{"a forged one before the good one", forged + "; " + second, ""},
		{"a forged one after the good one", second + "; " + forged, "Signed in as Grace"},
		{"nonsense", "session=\x00\xff; session=x", ""},
	}
	for _, test := range tests {
		if got := open(t, router, test.cookie); got.status != http.StatusOK || got.user != test.user || got.signIn == (test.user != "") {
			t.Errorf("%s: status %d, user %q, want %q", test.name, got.status, got.user, test.user)
		}
	}
	if first == second || fixed == forged {
		t.Error("a sign-in has kept its token")
	}
}

// TestSignOutDuringARun wants a run that ends later not to bring the session back.
func TestSignOutDuringARun(t *testing.T) {
	var router http.Handler
	var cookie string
	router = newRouter(newTestHandler(knownDice(), rollsFor(t, func(http.ResponseWriter, *http.Request) {
		postTo(t.Context(), router, "/sign-out", "", "Cookie", cookie)
	})))
	cookie = sessionCookie(postTo(t.Context(), router, "/sign-in", "name=Ada"))
	if reply := post(t.Context(), router, "die=fair", "Cookie", cookie); reply.Code != http.StatusOK || sessionCookie(reply) != "" {
		t.Errorf("the run: status %d, cookie %q", reply.Code, sessionCookie(reply))
	}
	if got := open(t, router, cookie); !got.signIn {
		t.Errorf("the session is back: %+v", got)
	}
}

// TestOtherSitesSignNobodyInOrOut wants both to be refused to a form that another site posts.
func TestOtherSitesSignNobodyInOrOut(t *testing.T) {
	router := newTestRouter(t, replyWith(http.StatusOK, "{}"))
	for _, path := range []string{"/sign-in", "/sign-out"} {
		for site, status := range map[string]int{"cross-site": http.StatusForbidden, "same-origin": http.StatusSeeOther} {
			reply := postTo(t.Context(), router, path, "name=Eve", "Sec-Fetch-Site", site)
			if cookies := reply.Result().Cookies(); reply.Code != status || (len(cookies) > 0) != (status == http.StatusSeeOther) {
				t.Errorf("%s: %s: status %d, cookies %v, want %d", path, site, reply.Code, cookies, status)
			}
		}
	}
}

// brokenStore finds no session, and fails.
type brokenStore struct{ *memstore.MemStore }

func (brokenStore) Find(string) ([]byte, bool, error)      { return nil, false, errors.New("broken") }
func (brokenStore) Commit(string, []byte, time.Time) error { return errors.New("broken") }
func (brokenStore) Delete(string) error                    { return errors.New("broken") }

// fullStore finds sessions, and takes no new one.
type fullStore struct{ *memstore.MemStore }

func (fullStore) Commit(string, []byte, time.Time) error { return errors.New("full") }

func TestSessionFails(t *testing.T) {
	full := fullStore{memstore.NewWithCleanupInterval(0)}
	for _, test := range []struct {
		path, cookie string
		store        scs.Store
	}{
		{"/", "session=x", brokenStore{}}, {"/sign-in", "session=x", brokenStore{}}, {"/sign-in", "", brokenStore{}},
		{"/sign-out", "", brokenStore{}}, {"/sign-in", "", full},
	} {
		h := newTestHandler(knownDice(), newRollService("http://127.0.0.1:1", time.Second))
		h.sessions.Store = test.store
		var reply *httptest.ResponseRecorder
		operational, usage := recordsOf(t, func() { reply = postTo(t.Context(), newRouter(h), test.path, "name=Ada", "Cookie", test.cookie) })
		if want := `{"error":"the session could not be loaded or saved; try again later"}`; reply.Code != http.StatusInternalServerError || strings.TrimSpace(reply.Body.String()) != want {
			t.Errorf("%s: status %d, %s", test.path, reply.Code, reply.Body)
		}
		failures := slices.DeleteFunc(operational, func(record map[string]any) bool { return record["level"] != "ERROR" })
		if len(failures) != 1 || failures[0]["msg"] != "session failed" {
			t.Errorf("%s: logged %v, want one error", test.path, operational)
		}
		if len(usage) > 0 {
			t.Errorf("%s: usage %v of what failed", test.path, usage)
		}
	}
}
