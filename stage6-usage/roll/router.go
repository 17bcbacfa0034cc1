package main

import (
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/riandyrn/otelchi"

	"example.com/dice/shared/httpjson"
	"example.com/dice/shared/httpmetrics"
)

func newRouter(h handler) http.Handler {
	r := chi.NewRouter()
	// From the outside in: the span must exist when the duration is recorded, and both must see the
	// reply that the recoverer makes of a panic.
	r.Use(otelchi.Middleware("roll", otelchi.WithChiRoutes(r), otelchi.WithRequestMethodInSpanName(true)))
	r.Use(httpmetrics.Middleware)
	r.Use(httpjson.Recoverer)
	r.NotFound(httpjson.NotFound)
	r.MethodNotAllowed(httpjson.MethodNotAllowed(r))
	r.Get("/roll", h.roll)
	r.Get("/roll-async", h.rollAsync)
	return r
}
