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
	r.Use(otelchi.Middleware("", otelchi.WithChiRoutes(r), otelchi.WithRequestMethodInSpanName(true)))
	r.Use(httptelemetry.Server("identifier"))
	r.Use(httpjson.Recoverer)
	r.NotFound(httpjson.NotFound)
	r.MethodNotAllowed(httpjson.MethodNotAllowed(r))
	r.Get("/dice", h.dice)
	r.Head("/dice", h.dice)
	return r
}
