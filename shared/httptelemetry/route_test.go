package httptelemetry_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"go.opentelemetry.io/otel/attribute"

	"example.com/dice/shared/httpjson"
)

// serviceRoutes are those of a service with a page, whose last middleware refuses some requests before they are routed.
func serviceRoutes(r chi.Router) {
	r.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("refuse") {
				httpjson.Error(w, http.StatusForbidden, "refused")
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	for _, path := range []string{"/", "/roll", "/things/{id}"} {
		r.Get(path, then(begin))
		r.Head(path, then(begin))
	}
	r.Post("/", then(begin))
}

// TestRoute wants one answer to which route a request has, in its span, in the metric, and in the response.
func TestRoute(t *testing.T) {
	const read, any = "GET, HEAD", "GET, HEAD, POST"
	tests := []struct {
		method, target string
		status         int
		route, allow   string
	}{
		{"GET", "/roll", 200, "/roll", ""},
		{"GET", "/roll?die=fair", 200, "/roll", ""},
		{"GET", "/things/a%20b", 200, "/things/{id}", ""},
		{"GET", "/things/%7e", 200, "/things/{id}", ""},
		{"GET", "/things/a%2Fb", 200, "/things/{id}", ""},
		{"GET", "http://localhost/roll", 200, "/roll", ""},
		{"GET", "http://localhost", 200, "/", ""},
		{"GET", "http://localhost?die=fair", 200, "/", ""},
		{"GET", "/", 200, "/", ""},
		{"GET", "/?/roll", 200, "/", ""},
		{"HEAD", "/roll", 200, "/roll", ""},
		{"HEAD", "/", 200, "/", ""},
		{"POST", "/", 200, "/", ""},
		{"GET", "/%72oll", 404, "", ""}, // chi matches the encoded path, otelchi the decoded one
		{"HEAD", "/%72oll", 404, "", ""},
		{"POST", "/%72oll", 404, "", ""},
		{"GET", "/roll/", 404, "", ""},
		{"GET", "//roll", 404, "", ""},
		{"GET", "/%2Froll", 404, "", ""},
		{"GET", "/roll;x", 404, "", ""},
		{"GET", "/ROLL", 404, "", ""},
		{"GET", "/roll%2f", 404, "", ""},
		{"GET", "/roll%3Fdie=fair", 404, "", ""},
		{"GET", "/roll%00", 404, "", ""},
		{"GET", "/roll%ff", 404, "", ""},
		{"GET", "/./roll", 404, "", ""},
		{"GET", "/x/../roll", 404, "", ""},
		{"GET", "/things", 404, "", ""},
		{"GET", "/things/", 404, "", ""},
		{"GET", "/nowhere", 404, "", ""},
		{"HEAD", "/nowhere", 404, "", ""},
		{"INVENTED", "/nowhere", 404, "", ""},
		{"POST", "/roll", 405, "", read},
		{"INVENTED", "/roll", 405, "", read},
		{"INVENTED", "/%72oll", 404, "", ""},
		{"get", "/roll", 405, "", read},
		{"OPTIONS", "/roll", 405, "", read},
		{"TRACE", "/roll", 405, "", read},
		{"QUERY", "/", 405, "", any},
		{"CONNECT", "localhost:80", 405, "", any},
		{"GET", "/roll?refuse", 403, "/roll", ""},
		{"POST", "/?refuse", 403, "/", ""},
		{"POST", "http://localhost?refuse", 403, "/", ""},
		{"GET", "/things/a%2Fb?refuse", 403, "/things/{id}", ""},
		{"GET", "/%72oll?refuse", 403, "", ""},
		{"GET", "/nowhere?refuse", 403, "", ""},
		{"POST", "/roll?refuse", 403, "", ""},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.target, func(t *testing.T) {
			span, recorded, got := exchange(t, test.method+" "+test.target+" HTTP/1.1\r\n", false, serviceRoutes)
			if got.status != test.status || got.allow != test.allow {
				t.Errorf("status %d, Allow %q, want %d, %q", got.status, got.allow, test.status, test.allow)
			}
			traced := attribute.NewSet(span.Attributes()...)
			for signal, attributes := range map[string]attribute.Set{"span": traced, "metric": recorded} {
				// otelchi's attribute is empty if there is no route. The collector removes it.
				if route, _ := attributes.Value("http.route"); route.AsString() != test.route {
					t.Errorf("the %s has http.route %q, want %q", signal, route.AsString(), test.route)
				}
				if status, _ := attributes.Value("http.response.status_code"); int(status.AsInt64()) != test.status {
					t.Errorf("the %s has status %d, want %d", signal, status.AsInt64(), test.status)
				}
			}
			// Without a route, the collector reduces the name to the method.
			if want := test.method + " " + test.route; span.Name() != want && test.route != "" {
				t.Errorf("the span is named %q, want %q", span.Name(), want)
			}
			want := strings.ToUpper(test.method)
			if test.method == "INVENTED" || test.method == "get" {
				want = "_OTHER"
			}
			if method, _ := recorded.Value("http.request.method"); method.AsString() != want {
				t.Errorf("the metric has the method %q, want %q", method.AsString(), want)
			}
		})
	}
}
