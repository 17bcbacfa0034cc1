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
	r.Use(otelchi.Middleware("die", otelchi.WithChiRoutes(r), otelchi.WithRequestMethodInSpanName(true)))
	r.Use(httpmetrics.Middleware)
	r.Use(httpjson.Recoverer)
	r.NotFound(httpjson.NotFound)
	r.MethodNotAllowed(httpjson.MethodNotAllowed(r))
	r.Get("/dice", h.dice)
	return r
}
