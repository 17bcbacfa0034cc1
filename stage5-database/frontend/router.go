package main

import (
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/riandyrn/otelchi"

	"example.com/dice/shared/httpjson"
	"example.com/dice/shared/httptelemetry"
)

const largestForm = 1 << 10 // bytes; posted values go into log records

func newRouter(h handler) http.Handler {
	r := chi.NewRouter()
	// As in the roll service. The server span continues the trace in the caller's headers.
	r.Use(otelchi.Middleware("", otelchi.WithChiRoutes(r), otelchi.WithRequestMethodInSpanName(true)))
	r.Use(httptelemetry.Server())
	r.Use(httpjson.Recoverer)
	r.Use(sameSite().Handler)
	r.Use(middleware.RequestSize(largestForm))
	r.NotFound(httpjson.NotFound)
	r.MethodNotAllowed(httpjson.MethodNotAllowed(r))
	r.Get("/", h.open)
	r.Head("/", h.open)
	r.Post("/", h.run)
	return r
}

// sameSite rejects forms posted by other sites.
func sameSite() *http.CrossOriginProtection {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		slog.WarnContext(r.Context(), "post from another site refused")
		httpjson.Error(w, http.StatusForbidden, "this form was posted from another site")
	}))
	return protection
}
