package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"example.com/dice/shared/chance"
	"example.com/dice/shared/httpjson"
)

// standIn answers as the die service does.
func standIn(w http.ResponseWriter, r *http.Request) {
	switch identifier := r.URL.Query().Get("identifier"); identifier {
	case "fair":
		_, _ = w.Write([]byte(`{"faces":[1,2,3,4,5,6],"error_rate":0}`))
	case "risky":
		_, _ = w.Write([]byte(`{"faces":[2,3,4,5,6,7],"error_rate":0.1}`))
	default:
		httpjson.Error(w, http.StatusNotFound, fmt.Sprintf("unknown die %.40q: must be one of fair, risky", identifier))
	}
}

// inProcess is a transport without a network, so that time can be faked. It answers also if nobody waits.
type inProcess http.HandlerFunc

func (h inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	h(recorder, r)
	return recorder.Result(), nil
}

func knownDice() dieService { return dieService{client: &http.Client{Transport: inProcess(standIn)}} }

func startDieService(t *testing.T, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server
}

func replyWith(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// recordOf returns the level and the message of the one log record that do makes.
func recordOf(t *testing.T, do func()) string {
	t.Helper()
	var out bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&out, nil)))
	defer slog.SetDefault(before)
	do()
	var record struct{ Level, Msg string }
	if err := json.Unmarshal(out.Bytes(), &record); err != nil {
		t.Errorf("not one record: %v\n%s", err, &out)
	}
	return record.Level + " " + record.Msg
}

func TestDieServiceFails(t *testing.T) {
	slow := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	broken := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	const invalid = "the die service sent an invalid response"
	const failed = "ERROR lookup failed"
	tests := []struct {
		name    string
		ctx     context.Context
		answer  http.HandlerFunc // nil: the service is down
		status  int
		message string
		record  string // level and message
	}{
		{"down", t.Context(), nil, 503, "the die service cannot be reached; try again later", failed},
		{"slow", t.Context(), slow, 504, "the die service took too long; try again later", failed},
		{"unavailable", t.Context(), replyWith(503, `{"error":"busy"}`), 503, "the die service is not available; try again later", failed},
		{"broken", t.Context(), broken, 502, invalid, failed},
		{"no JSON", t.Context(), replyWith(200, `<html>`), 502, invalid, failed},
		{"no faces", t.Context(), replyWith(200, `{"error_rate":0}`), 502, invalid, failed},
		{"seven faces", t.Context(), replyWith(200, `{"faces":[1,2,3,4,5,6,7],"error_rate":0}`), 502, invalid, failed},
		{"no error rate", t.Context(), replyWith(200, `{"faces":[1,2,3,4,5,6]}`), 502, invalid, failed},
		{"error rate of 7", t.Context(), replyWith(200, `{"faces":[1,2,3,4,5,6],"error_rate":7}`), 502, invalid, failed},
		{"failing", t.Context(), replyWith(500, `{"error":"sorry"}`), 502, invalid, failed},
		{"another service", t.Context(), replyWith(404, `<html>`), 502, invalid, failed},
		{"unknown die", t.Context(), replyWith(404, `{"error":"unknown die"}`), 400, "unknown die", "WARN roll refused"},
		{"caller gone", canceled, slow, httpjson.StatusClientClosedRequest, "canceled by the caller", "INFO lookup canceled by the caller"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := startDieService(t, test.answer)
			timeout := 10 * time.Second
			switch test.name {
			case "down":
				server.Close()
			case "slow":
				timeout = 50 * time.Millisecond
			}
			router := newRouter(handler{dice: newDieService(server.URL, timeout), roller: roller{chance: chance.New(1)}})
			var status int
			var body reply
			record := recordOf(t, func() { status, body = send(test.ctx, t, router, http.MethodGet, "/roll", "die=fair") })
			if status != test.status || body.Error != test.message || record != test.record {
				t.Errorf("status %d %q, logged %q\nwant %d %q, logged %q", status, body.Error, record, test.status, test.message, test.record)
			}
		})
	}
}

func TestCallerWhoGoesAwayEndsTheLookUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	server := startDieService(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel() // once the die service has the request
		<-r.Context().Done()
		close(ended)
	})
	router := newRouter(handler{dice: newDieService(server.URL, time.Minute), roller: roller{chance: chance.New(1)}})
	if status, _ := send(ctx, t, router, http.MethodGet, "/roll", "die=fair"); status != httpjson.StatusClientClosedRequest {
		t.Errorf("status %d, want %d", status, httpjson.StatusClientClosedRequest)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the die service goes on")
	}
}

func TestIdentifierIsEscaped(t *testing.T) {
	var asked string
	server := startDieService(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Query().Get("identifier")
		standIn(w, r)
	})
	router := newRouter(handler{dice: newDieService(server.URL, time.Second), roller: roller{chance: chance.New(1)}})
	send(t.Context(), t, router, http.MethodGet, "/roll", "die=fair%26identifier%3Drisky%23")
	if want := "fair&identifier=risky#"; asked != want {
		t.Errorf("the die service was asked for %q, want %q", asked, want)
	}
}

// TestRetryIsASiblingSpan refuses both attempts. The second has a span next to that of the first, and its number.
func TestRetryIsASiblingSpan(t *testing.T) {
	server := startDieService(t, standIn)
	server.Close()
	spans := spansInOrder(t, func() {
		router := newRouter(handler{dice: newDieService(server.URL, 10*time.Second), roller: roller{chance: chance.New(1)}})
		send(t.Context(), t, router, http.MethodGet, "/roll", "die=fair")
	})
	if len(spans) != 3 {
		t.Fatalf("spans %v, want two attempts and GET /roll", spans)
	}
	for i, attempt := range spans[:2] {
		attributes := attribute.NewSet(attempt.Attributes()...)
		if count, ok := attributes.Value("http.request.resend_count"); ok != (i == 1) || count.AsInt64() != int64(i) {
			t.Errorf("attempt %d has http.request.resend_count %d", i+1, count.AsInt64())
		}
		if attempt.Name() != "GET /dice" || attempt.SpanKind() != trace.SpanKindClient || attempt.Status().Code != codes.Error {
			t.Errorf("attempt %s, kind %s, status %v", attempt.Name(), attempt.SpanKind(), attempt.Status())
		}
		if attempt.Parent().SpanID() != spans[2].SpanContext().SpanID() {
			t.Error("an attempt is not a child of GET /roll")
		}
	}
	if spans[2].Status().Code != codes.Error {
		t.Errorf("status of GET /roll: %v", spans[2].Status())
	}
}

// FuzzDieReply wants one of the faces of a die that makes sense, its failure, or a reply that says what is wrong.
func FuzzDieReply(f *testing.F) {
	for _, seed := range []string{
		`{"faces":[1,2,3,4,5,6],"error_rate":0}`, `{"faces":[1,2,3,4,5,6],"error_rate":1}`, `{"faces":[1,2,3,4,5,6],"error_rate":-1e-9}`,
		`{"faces":[1,2,3,4,5,6,7],"error_rate":0}`, `{"faces":null}`, `[]`, `null`, ``, `{"FACES":[0,0,0,0,0,-9223372036854775808],"error_rate":0}`,
	} {
		f.Add(uint16(200), []byte(seed))
	}
	for _, status := range []uint16{404, 500, 503, 504, 302, 204} {
		f.Add(status, []byte(`{"error":"\u0000<b>"}`))
	}
	var code int
	var body []byte
	dice := dieService{client: &http.Client{Transport: inProcess(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = w.Write(body)
	})}}
	router := newRouter(handler{dice: dice, roller: roller{chance: chance.New(1)}})
	f.Fuzz(func(t *testing.T, status uint16, text []byte) {
		code, body = max(100, int(status)%1000), text
		got, answer := send(t.Context(), t, router, http.MethodGet, "/roll", "die=fair")
		var die struct {
			Faces     []int
			ErrorRate *float64 `json:"error_rate"`
			Error     string
		}
		good := json.Unmarshal(text[:min(len(text), 64<<10)], &die) == nil && code == http.StatusOK &&
			len(die.Faces) == 6 && die.ErrorRate != nil && *die.ErrorRate >= 0 && *die.ErrorRate <= 1
		switch {
		case got == http.StatusOK && good && slices.Contains(die.Faces, answer.Roll) && *die.ErrorRate < 1:
		case got == http.StatusInternalServerError && good && answer.Error == errDieFailed.Error() && *die.ErrorRate > 0:
		case got == http.StatusBadRequest && code == http.StatusNotFound && answer.Error != "":
		case got == code && (code == http.StatusServiceUnavailable || code == http.StatusGatewayTimeout) && answer.Error != "":
		case got == http.StatusBadGateway && !good && answer.Error != "":
		default:
			t.Errorf("status %d, %+v after a reply %d %q", got, answer, code, text)
		}
	})
}
