// Package httpjson writes HTTP responses in JSON.
package httpjson

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/go-chi/chi/v5"

	"example.com/dice/shared/internal/response"
)

// StatusClientClosedRequest is the status of a request whose client disconnected before the response. Nobody
// receives it, but spans and metrics show it. HTTP defines no such status; the number is nginx's.
const StatusClientClosedRequest = 499

// Reply writes body as JSON. A body that cannot be encoded is a bug and panics before anything is written.
func Reply(w http.ResponseWriter, status int, body any) {
	var data bytes.Buffer
	encoder := json.NewEncoder(&data)
	encoder.SetEscapeHTML(false) // keeps "&times=10" readable; browsers don't render JSON as HTML
	if err := encoder.Encode(body); err != nil {
		panic(fmt.Errorf("encoding a response: %w", err))
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(data.Bytes()) // fails only if the caller has disconnected
}

// Error writes {"error": message}. The message says what is wrong and what is allowed.
func Error(w http.ResponseWriter, status int, message string) {
	Reply(w, status, map[string]string{"error": message})
}

// NotFound logs a request whose path matches no route, and responds with 404.
func NotFound(w http.ResponseWriter, r *http.Request) {
	refuse(w, r, http.StatusNotFound, "no such path")
}

func refuse(w http.ResponseWriter, r *http.Request, status int, message string) {
	slog.WarnContext(r.Context(), "request refused",
		"http.request.method", r.Method, "url.path", r.URL.Path, "http.response.status_code", status)
	Error(w, status, message)
}

// MethodNotAllowed returns a handler that logs the request and responds with 405. The body lists the methods that the
// path allows, and so does the Allow header, as RFC 9110, section 15.5.6, requires.
func MethodNotAllowed(routes chi.Routes) http.HandlerFunc {
	methods := []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	}
	return func(w http.ResponseWriter, r *http.Request) {
		path := cmp.Or(r.URL.RawPath, r.URL.Path, "/") // as chi does
		var allowed []string
		for _, method := range methods {
			if routes.Match(chi.NewRouteContext(), method, path) {
				allowed = append(allowed, method)
			}
		}
		if len(allowed) == 0 { // for a method that chi doesn't know, it calls this handler whatever the path
			NotFound(w, r)
			return
		}
		allow := strings.Join(allowed, ", ")
		w.Header().Set("Allow", allow)
		refuse(w, r, http.StatusMethodNotAllowed, "this path allows "+allow+" only")
	}
}

// Recoverer turns a panic in the handler into a log record with the stack trace and a 500 response. If a response has
// already begun, net/http drops the connection, so that the caller does not take the part for the whole.
func Recoverer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		observed := response.Observe(w, w)
		defer func() {
			reason := recover()
			if reason == nil {
				return
			}
			if err, ok := reason.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(reason) // how a handler tells net/http to drop the connection
			}
			slog.ErrorContext(r.Context(), "handler panicked", "exception.type", fmt.Sprintf("%T", reason),
				"exception.message", fmt.Sprint(reason), "exception.stacktrace", string(debug.Stack()))
			if observed.Status != 0 {
				panic(http.ErrAbortHandler)
			}
			Error(w, http.StatusInternalServerError, "internal error")
		}()
		next.ServeHTTP(observed, r)
	})
}
