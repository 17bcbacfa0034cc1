package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed" // for the page
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"

	"github.com/alexedwards/scs/v2"
	"go.opentelemetry.io/otel/trace"

	"example.com/dice/shared/upstream"
)

//go:embed page.html
var pageHTML string

// policy keeps the page from loading anything, running scripts, and posting to other sites.
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

type handler struct {
	dieService  dieService
	rollService rollService
	page        *template.Template
	grafana     string

	sessions *scs.SessionManager
}

// view is what the page shows.
type view struct {
	User     string // empty if nobody is signed in
	Name     string // rejected name, shown again in the form
	Dice     []string
	Chosen   string
	Times    string // the number of dice
	Output   string // plain text, never HTML
	TraceID  string // of the last run; empty before the first
	TraceURL string
}

func newHandler(dieService dieService, rollService rollService, sessions *scs.SessionManager, grafana string) handler {
	return handler{dieService: dieService, rollService: rollService, sessions: sessions, page: template.Must(template.New("page").Parse(pageHTML)), grafana: grafana}
}

// open answers GET /: the page before the first run.
func (h handler) open(w http.ResponseWriter, r *http.Request) {
	h.show(r.Context(), w, "", "1", reply{})
}

// run answers POST /: it rolls the chosen die the requested number of times, and shows the response. The page's status
// is the one in its output box, so that this service's own metrics count what its users see.
func (h handler) run(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	user := h.user(ctx)
	if user == "" {
		slog.WarnContext(ctx, "run refused: nobody is signed in")
		h.show(ctx, w, "", "1", reply{http.StatusForbidden, "sign in first"})
		return
	}
	if err := r.ParseForm(); err != nil {
		slog.WarnContext(ctx, "form refused", "error", err)
		h.show(ctx, w, "", "1", refusal(err))
		return
	}

	die, times := r.PostFormValue("die"), cmp.Or(r.PostFormValue("times"), "1")
	got, err := h.rollService.roll(ctx, die, times)
	switch {
	case errors.Is(err, context.Canceled):
		slog.InfoContext(ctx, "run canceled by the user", "die.identifier", die, "times", times)
		got.status, got.body = upstream.Explain("roll", err)
	case err != nil:
		slog.ErrorContext(ctx, "no response from the roll service", "die.identifier", die, "times", times, "error", err)
		got.status, got.body = upstream.Explain("roll", err)
	default:
		slog.InfoContext(ctx, "run", "die.identifier", die, "times", times, "http.response.status_code", got.status)
	}
	trackRun(ctx, user, die, times, got.status)
	h.show(ctx, w, die, times, got)
}

// refusal returns the response to a form that cannot be read.
func refusal(err error) reply {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return reply{http.StatusRequestEntityTooLarge, fmt.Sprintf("the form is too large: it must have at most %d bytes", tooLarge.Limit)}
	}
	return reply{http.StatusBadRequest, "the form cannot be read: " + err.Error()}
}

// show writes the page, with the response if there is one. Users who are not signed in get the sign-in form.
// If the die service fails, the list has only the chosen die; before a choice, the output box gives the reason.
func (h handler) show(ctx context.Context, w http.ResponseWriter, chosen, times string, got reply) {
	user := h.user(ctx)
	if user == "" {
		h.render(ctx, w, view{}, got)
		return
	}
	dice, err := h.dieService.identifiers(ctx)
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			slog.ErrorContext(ctx, "no response from the die service", "error", err)
		}
		if got.status == 0 {
			got.status, got.body = upstream.Explain("die", err)
		} else if chosen != "" {
			dice = []string{chosen}
		}
	}
	h.render(ctx, w, view{User: user, Dice: dice, Chosen: chosen, Times: times}, got)
}

func (h handler) render(ctx context.Context, w http.ResponseWriter, v view, got reply) {
	if got.status != 0 {
		v.Output = fmt.Sprintf("%d %s\n%s", got.status, http.StatusText(got.status), got.body)
		v.TraceID = trace.SpanContextFromContext(ctx).TraceID().String()
		v.TraceURL = traceURL(h.grafana, v.TraceID)
	}
	var body bytes.Buffer
	if err := h.page.Execute(&body, v); err != nil {
		panic(fmt.Errorf("rendering the page: %w", err)) // a bug in page.html
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	if got.status >= http.StatusBadRequest {
		w.WriteHeader(got.status)
	}
	_, _ = w.Write(bytes.ToValidUTF8(body.Bytes(), []byte("\uFFFD"))) // fails only if the user has disconnected
}
