package upstream_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/dice/shared/upstream"
)

func TestGetJSON(t *testing.T) {
	tests := []struct {
		status int
		body   string
		want   int    // the decoded number
		err    string // begins so
	}{
		{200, `{"number": 7}`, 7, ""},
		{200, `{"number": 7}` + strings.Repeat(" ", 64<<10), 7, ""},
		{200, `{"number": "7"}`, 0, "decoding the reply: json: cannot unmarshal string"},
		{200, `<html>`, 0, "decoding the reply: invalid character '<'"},
		{404, `{"error": "unknown"}`, 0, "the reply is 404 Not Found: unknown"},
		{500, `<html>`, 0, "the reply is 500 Internal Server Error: "},
	}
	for _, test := range tests {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.status)
			_, _ = w.Write([]byte(test.body))
		}))
		var reply struct{ Number int }
		err := upstream.GetJSON(t.Context(), server.Client(), server.URL, &reply)
		server.Close()
		if (err == nil) != (test.err == "") || err != nil && !strings.HasPrefix(err.Error(), test.err) {
			t.Errorf("%d %.20s: error %v, want %q", test.status, test.body, err, test.err)
		}
		if reply.Number != test.want {
			t.Errorf("%d %.20s: %d, want %d", test.status, test.body, reply.Number, test.want)
		}
	}
}
