package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"
)

func init() { slog.SetDefault(slog.New(slog.DiscardHandler)) }

func newTestRouter(t testing.TB, latency time.Duration) http.Handler {
	t.Helper()
	all, err := readDice("../dice.json")
	if err != nil {
		t.Fatal(err)
	}
	return newRouter(handler{all, latency})
}

func send(ctx context.Context, router http.Handler, path, query string) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	request.URL.RawQuery = query
	recorder := httptest.NewRecorder()
	router.ServeHTTP(recorder, request)
	return recorder
}

func TestHead(t *testing.T) {
	recorder := httptest.NewRecorder()
	newTestRouter(t, 0).ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodHead, "/dice", nil))
	if recorder.Code != http.StatusOK {
		t.Errorf("status %d", recorder.Code)
	}
}

// FuzzLookUp wants for each query string the list, one of its dice, or an error, and never a failure of ours.
func FuzzLookUp(f *testing.F) {
	for _, seed := range []string{
		"", "identifier", "identifier=fair", "identifier=risky&x=1", "identifier=fair&identifier=risky", "identifier=%zz", "identifier=a;b",
		"identifier=%00", "identifier=\xff", "identifier=%27+OR+1=1--", "identifier=fa%69r", "Identifier=fair", "identifier=%3F", "&&=",
	} {
		f.Add(seed)
	}
	router := newTestRouter(f, 0)
	f.Fuzz(func(t *testing.T, query string) {
		recorder := send(t.Context(), router, "/dice", query)
		var got struct {
			Identifiers []string
			Faces       []int
			Error       string
		}
		if err := json.Unmarshal(recorder.Body.Bytes(), &got); err != nil || !utf8.Valid(recorder.Body.Bytes()) {
			t.Errorf("%v: %q", err, recorder.Body)
		}
		values, err := url.ParseQuery(query)
		asked := values["identifier"]
		known := len(asked) == 1 && slices.Contains([]string{"fair", "risky"}, asked[0])
		switch status := recorder.Code; {
		case status == http.StatusOK && err == nil && len(asked) == 0 && slices.Equal(got.Identifiers, []string{"fair", "risky"}):
		case status == http.StatusOK && err == nil && known && len(got.Faces) == 6:
		case status == http.StatusNotFound && err == nil && len(asked) == 1 && !known && got.Error != "":
		case status == http.StatusBadRequest && (err != nil || len(asked) > 1) && got.Error != "":
		default:
			t.Errorf("status %d %s", status, recorder.Body)
		}
	})
}

func TestPanicHasAReply(t *testing.T) {
	router := newTestRouter(t, 0)
	router.(chi.Router).Get("/broken", func(http.ResponseWriter, *http.Request) { panic("it broke") })
	if got := send(t.Context(), router, "/broken", ""); got.Code != http.StatusInternalServerError || got.Body.String() != `{"error":"internal error"}`+"\n" {
		t.Errorf("status %d %s", got.Code, got.Body)
	}
}

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		router, start := newTestRouter(t, time.Second), time.Now()
		if got := send(t.Context(), router, "/dice", ""); got.Code != http.StatusOK || time.Since(start) != time.Second {
			t.Errorf("status %d after %s, want 200 after 1s", got.Code, time.Since(start))
		}
		start = time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if send(ctx, router, "/dice", ""); time.Since(start) != time.Millisecond {
			t.Errorf("a caller who left after 1ms was kept for %s", time.Since(start))
		}
	})
}
