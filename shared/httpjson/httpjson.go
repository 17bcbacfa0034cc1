// Package httpjson replies to HTTP requests in JSON.
package httpjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/go-chi/chi/v5"
)

// StatusClientClosedRequest is the status of a request whose caller went away before the reply. Nobody reads
// it, but spans and metrics show it. It is nginx's number; the standard has none.
const StatusClientClosedRequest = 499

// Reply writes body as JSON. A body that cannot be encoded is a bug and panics before anything is written.
func Reply(w http.ResponseWriter, status int, body any) {
	var data bytes.Buffer
	encoder := json.NewEncoder(&data)
	encoder.SetEscapeHTML(false) // "&times=10" stays readable; no browser takes JSON for a page
	if err := encoder.Encode(body); err != nil {
		panic(fmt.Errorf("encoding a response: %w", err))
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(data.Bytes()) // fails only if the caller is gone
}

// Error writes {"error": message}. The message says what is wrong and what is allowed.
func Error(w http.ResponseWriter, status int, message string) {
	Reply(w, status, map[string]string{"error": message})
}

// NotFound replies 404 to a path that no route matches, and logs it.
func NotFound(w http.ResponseWriter, r *http.Request) {
	refuse(w, r, http.StatusNotFound, "no such path")
}

func refuse(w http.ResponseWriter, r *http.Request, status int, message string) {
	slog.WarnContext(r.Context(), "request refused",
		"http.request.method", r.Method, "url.path", r.URL.Path, "http.response.status_code", status)
	Error(w, status, message)
}

// MethodNotAllowed returns a handler that replies 405 and logs it, with the methods that the path allows in the body and
// in the Allow header, which RFC 9110, section 15.5.6, requires.
func MethodNotAllowed(routes chi.Routes) http.HandlerFunc {
	methods := []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	}
	return func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, method := range methods {
			if routes.Match(chi.NewRouteContext(), method, r.URL.Path) {
				allowed = append(allowed, method)
			}
		}
		if len(allowed) == 0 { // chi asks whether it knows the method before it looks at the path
			NotFound(w, r)
			return
		}
		allow := strings.Join(allowed, ", ")
		w.Header().Set("Allow", allow)
		refuse(w, r, http.StatusMethodNotAllowed, "this path allows "+allow+" only")
	}
}

// Recoverer turns a panic of the handler into a log record with the stack and a reply 500.
func Recoverer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			reason := recover()
			if reason == nil {
				return
			}
			if err, ok := reason.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(reason) // net/http's own way to cut a connection
			}
			slog.ErrorContext(r.Context(), "handler panicked", "exception.type", fmt.Sprintf("%T", reason),
				"exception.message", fmt.Sprint(reason), "exception.stacktrace", string(debug.Stack()))
			Error(w, http.StatusInternalServerError, "internal error")
		}()
		next.ServeHTTP(w, r)
	})
}
