package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"go.opentelemetry.io/otel/codes"

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

// TestFailedLookupIsLoggedOnce wants the error in the spans of the call and of the request, and in one log record.
func TestFailedLookupIsLoggedOnce(t *testing.T) {
	broken := inProcess(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	router := newRouter(handler{dieService: dieService{client: &http.Client{Transport: broken}}, roller: roller{chance: chance.New(1)}})
	e := observe(t, func() { send(t.Context(), t, router, http.MethodGet, "/roll", "die=fair") })
	if got := e.span(t, "GET /roll").Status().Code; got != codes.Error {
		t.Errorf("status of GET /roll: %v", got)
	}
	if len(e.logs) != 1 || e.logs[0].SeverityText != "ERROR" || e.logs[0].Body.AsString() != "lookup failed" {
		t.Errorf("log records %v, want one error", e.logs)
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
	router := newRouter(handler{dieService: dice, roller: roller{chance: chance.New(1)}})
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
