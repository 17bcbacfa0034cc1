package stages

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// frontend is the frontend of a stage as a process, with a stand-in for all services behind it.
type frontend struct {
	url   string
	reply atomic.Value // a string: what the stand-in replies to each roll; empty for the usual replies

	severalDice bool // can be asked for
}

func startFrontend(t *testing.T, stage string) *frontend {
	t.Helper()
	page := &frontend{severalDice: stage > "stage4"}
	page.reply.Store("")
	behind := httptest.NewServer(page.standIn())
	t.Cleanup(behind.Close)

	programs := services.build(t, load(t, stage))
	page.url = startService(t, programs["frontend"], "ROLL_URL="+behind.URL, "DIE_URL="+behind.URL).url
	return page
}

func (f *frontend) standIn() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /dice", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"identifiers":["fair","risky"]}`))
	})
	mux.HandleFunc("GET /roll-async", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"total":11}` + "\n"))
	})
	mux.HandleFunc("GET /roll", func(w http.ResponseWriter, r *http.Request) {
		switch reply := f.reply.Load().(string); {
		case reply != "":
			_, _ = w.Write([]byte(reply))
		case r.URL.Query().Get("die") == "risky":
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte(`{"error":"the die failed; roll again"}` + "\n"))
		default:
			_, _ = w.Write([]byte(`{"roll":5}` + "\n"))
		}
	})
	return mux
}
