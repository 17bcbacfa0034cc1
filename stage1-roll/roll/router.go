package main

import (
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/riandyrn/otelchi"

	"example.com/dice/shared/httpjson"
	"example.com/dice/shared/httptelemetry"
)

func newRouter(h handler) http.Handler {
	r := chi.NewRouter()
	// The first middleware is the outermost. The span must exist when the second one adds to it, and both must see the
	// response that the recoverer sends after a panic.
	r.Use(otelchi.Middleware("", otelchi.WithChiRoutes(r), otelchi.WithRequestMethodInSpanName(true)))
	r.Use(httptelemetry.Server("die"))
	r.Use(httpjson.Recoverer)
	r.NotFound(httpjson.NotFound)
	r.MethodNotAllowed(httpjson.MethodNotAllowed(r))
	r.Get("/roll", h.roll)
	r.Head("/roll", h.roll)
	return r
}
