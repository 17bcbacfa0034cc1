package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/alexedwards/scs/v2"

	"example.com/dice/shared/httpjson"
)

const (
	sessionLifetime = 12 * time.Hour // after which users sign in again
	longestName     = 32             // characters
	userKey         = "user"         // key of the user's name in a session
)

// newSessions keeps sessions in memory, so a restart ends them all. scs removes expired sessions in the background
// until the process exits.
//
// There is no idle timeout: with one, scs would write the session at the end of every request, and a run that
// finishes after its user has signed out would restore the session.
func newSessions() *scs.SessionManager {
	sessions := scs.New()
	sessions.Lifetime = sessionLifetime
	sessions.ErrorFunc = sessionFailed
	sessions.Cookie.HttpOnly = true                 // scripts cannot read it
	sessions.Cookie.SameSite = http.SameSiteLaxMode // browsers don't send it with posts from other sites
	sessions.Cookie.Secure = false                  // the page is at http://localhost; set it to true with HTTPS
	return sessions
}

func sessionFailed(w http.ResponseWriter, r *http.Request, err error) {
	slog.ErrorContext(r.Context(), "session failed", "error", err)
	httpjson.Error(w, http.StatusInternalServerError, "the session could not be loaded or saved; try again later")
}

// user returns the name of the user who is signed in, or "".
func (h handler) user(ctx context.Context) string { return h.sessions.GetString(ctx, userKey) }

// signIn answers POST /sign-in. There is no password: anyone may use any name.
func (h handler) signIn(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	name, status, err := readName(r)
	if err != nil {
		slog.WarnContext(ctx, "sign-in refused", "error", err)
		h.render(ctx, w, view{Name: name}, reply{status, err.Error()})
		return
	}
	// A new token prevents session fixation: one that an attacker knew before the sign-in is no longer valid.
	if err := h.sessions.RenewToken(ctx); err != nil {
		sessionFailed(w, r, err)
		return
	}
	h.sessions.Put(ctx, userKey, name)
	if _, _, err := h.sessions.Commit(ctx); err != nil {
		return // LoadAndSave tries again and responds; a failed sign-in is not recorded
	}
	slog.InfoContext(ctx, "sign-in")
	trackSignIn(ctx, name)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// signOut answers POST /sign-out.
func (h handler) signOut(w http.ResponseWriter, r *http.Request) {
	if err := h.sessions.Destroy(r.Context()); err != nil {
		sessionFailed(w, r, err)
		return
	}
	slog.InfoContext(r.Context(), "sign-out")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// readName returns the name in a form, without surrounding spaces. If the name is invalid, the error says what is
// allowed, without repeating the name, and status is the status of the response.
func readName(r *http.Request) (name string, status int, err error) {
	if err := r.ParseForm(); err != nil {
		return "", refusal(err).status, fmt.Errorf("the form cannot be read: it must be URL-encoded and have at most %d bytes", largestForm)
	}
	name = strings.TrimSpace(r.PostFormValue("name"))
	if utf8.RuneCountInString(name) > longestName || strings.ContainsFunc(name, notInNames) || !strings.ContainsFunc(name, letterOrDigit) {
		return name, http.StatusBadRequest, errors.New("a name must have 1 to 32 characters: letters, digits, spaces and . - _ '")
	}
	return name, http.StatusOK, nil
}

func letterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func notInNames(r rune) bool {
	return !letterOrDigit(r) && !unicode.IsMark(r) && !strings.ContainsRune(" .-_'", r)
}
