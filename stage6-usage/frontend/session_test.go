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

func newTestHandler(dieService dieService, rollService rollService) handler {
	return newHandler(dieService, rollService, newSessions(), "http://grafana")
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

// TestSession follows the session of a user, and wants each token to be of no use afterwards.
func TestSession(t *testing.T) {
	router := newRouter(newTestHandler(knownDice(), rollsFor(t, replyWith(http.StatusOK, "{}"))))
	run := func(token string) (status int, signInForm bool) {
		reply := postTo(t.Context(), router, "/", "die=fair", "Cookie", "session="+token)
		if challenge := reply.Header().Get("WWW-Authenticate"); challenge != "" || reply.Code == http.StatusUnauthorized {
			t.Errorf("status %d, WWW-Authenticate %q: the page has a form for that", reply.Code, challenge)
		}
		return reply.Code, strings.Contains(reply.Body.String(), `action="/sign-in"`)
	}
	redirected := func(path, token string) *http.Cookie {
		reply := postTo(t.Context(), router, path, "name=Ada", "Cookie", "session="+token)
		cookies := reply.Result().Cookies()
		if reply.Code != http.StatusSeeOther || reply.Header().Get("Location") != "/" || len(cookies) != 1 {
			t.Fatalf("%s: status %d, to %q, cookies %v", path, reply.Code, reply.Header().Get("Location"), cookies)
		}
		return cookies[0]
	}

	if status, form := run(""); status != http.StatusForbidden || !form {
		t.Errorf("before the sign-in: status %d, form %t", status, form)
	}
	first := redirected("/sign-in", "chosen by an attacker")
	if first.Name != "session" || first.Path != "/" || !first.HttpOnly || first.SameSite != http.SameSiteLaxMode || first.MaxAge <= 0 {
		t.Errorf("cookie %s", first)
	}
	second := redirected("/sign-in", first.Value)
	for token, want := range map[string]int{"chosen by an attacker": 403, first.Value: 403, second.Value: 200} {
		if status, _ := run(token); status != want {
			t.Errorf("a run with the token %q: status %d, want %d", token, status, want)
		}
	}
	if ended := redirected("/sign-out", second.Value); ended.MaxAge >= 0 {
		t.Errorf("sign-out: cookie %s", ended)
	}
	if status, form := run(second.Value); status != http.StatusForbidden || !form {
		t.Errorf("after the sign-out: status %d, form %t", status, form)
	}
}
