package main

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"example.com/dice/shared/httpjson"
)

func newRouter(h handler) http.Handler {
	r := chi.NewRouter()
	r.Use(httpjson.Recoverer)
	r.NotFound(httpjson.NotFound)
	r.MethodNotAllowed(httpjson.MethodNotAllowed(r))
	r.Get("/roll", h.roll)
	r.Head("/roll", h.roll)
	return r
}
