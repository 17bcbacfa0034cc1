package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// endless is a body that is as long as somebody reads it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	e.read += len(p)
	return len(p), nil
}

// TestHostileRequests sends what no browser sends. Each gets a reply of ours, and little of it is read.
func TestHostileRequests(t *testing.T) {
	const form, page = "application/x-www-form-urlencoded", http.StatusOK
	type headers = map[string]string
	tests := []struct {
		name, method, target string
		headers              headers
		body                 string // then as much as one likes
		status               int
	}{
		{"10 MB form", "POST", "/", headers{"Content-Type": form}, "die=", http.StatusRequestEntityTooLarge},
		{"10,000 fields", "POST", "/", headers{"Content-Type": form}, strings.Repeat("a=1&", 10_000), http.StatusRequestEntityTooLarge},
		{"10 MB text", "POST", "/", headers{"Content-Type": "text/plain"}, "die=fair", http.StatusBadRequest},
		{"10 MB file", "POST", "/", headers{"Content-Type": "multipart/form-data; boundary=b"}, "--b\r\n", http.StatusBadRequest},
		{"10 MB without a type", "POST", "/", nil, "die=fair", http.StatusBadRequest},
		{"10 MB in a GET", "GET", "/", nil, "x", page},
		{"10 MB to another path", "POST", "/nowhere", headers{"Content-Type": form}, "x", http.StatusNotFound},
		{"type that cannot be read", "POST", "/", headers{"Content-Type": form + "; charset"}, "die=fair", http.StatusBadRequest},
		{"10,000 query parameters", "GET", "/?" + strings.Repeat("a=1&", 9_999) + "a=1", nil, "", page},
		{"malformed query", "POST", "/?die=%zz", headers{"Content-Type": form}, "", http.StatusBadRequest},
		{"path that is not UTF-8", "GET", "/%ff%00", nil, "", http.StatusNotFound},
		{"path outside", "GET", "/../../etc/passwd", nil, "", http.StatusNotFound},
		{"unknown method", "INVENTED", "/", nil, "", http.StatusMethodNotAllowed},
		{"headers that are not UTF-8", "GET", "/", headers{"User-Agent": "\xff", "Traceparent": "\xff", "Baggage": "\xff=\xff", "Accept-Language": "\xff"}, "", page},
		{"trace that is too long", "GET", "/", headers{"Traceparent": strings.Repeat("0", 10_000), "Tracestate": strings.Repeat("a=1,", 10_000)}, "", page},
		{"thousands of cookies", "GET", "/", headers{"Cookie": strings.Repeat("a=1; ", 10_000)}, "", page},
		{"origin null", "POST", "/", headers{"Content-Type": form, "Origin": "null"}, "die=fair", http.StatusForbidden},
		{"origin that begins alike", "POST", "/", headers{"Content-Type": form, "Origin": "http://example.com.other.example"}, "die=fair", http.StatusForbidden},
		{"site that is none", "POST", "/", headers{"Content-Type": form, "Sec-Fetch-Site": "\xff"}, "die=fair", http.StatusForbidden},
	}
	router := newTestRouter(t, replyWith(http.StatusBadRequest, `{"error":"unknown die"}`))
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rest := &endless{}
			request := httptest.NewRequestWithContext(t.Context(), test.method, test.target, nil)
			if test.body != "" {
				request.Body = io.NopCloser(io.MultiReader(strings.NewReader(test.body), rest))
			}
			for name, value := range test.headers {
				request.Header.Set(name, value)
			}
			reply := httptest.NewRecorder()
			router.ServeHTTP(reply, request)
			if reply.Code != test.status {
				t.Errorf("status %d, want %d: %s", reply.Code, test.status, reply.Body)
			}
			if rest.read > 64<<10 {
				t.Errorf("%d bytes of the body were read", rest.read)
			}
			checkPage(t, reply)
		})
	}
}
