package stages

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestReplies sends each service of each stage what its traffic does not send, with stand-ins for the services behind it.
// Each stage must give the same replies as those before.
func TestReplies(t *testing.T) {
	t.Parallel()
	for _, name := range stageNames(t)[1:] { // the first has no service that calls another
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stage := load(t, name)
			programs := services.build(t, stage)
			t.Run("frontend", func(t *testing.T) { checkFrontend(t, programs["frontend"], name) })
			if stage.Service("die") == nil {
				return
			}
			t.Run("roll", func(t *testing.T) { checkLookups(t, programs["roll"]) })
			if name > "stage4" {
				t.Run("batches", func(t *testing.T) { checkBatches(t, programs["roll"]) })
			}
			t.Run("die", func(t *testing.T) { checkDie(t, programs["die"], stage.Dir) })
		})
	}
}

// checkDie asks a die service for all that it has and has not.
func checkDie(t *testing.T, program, directory string) {
	settings := []string{"DICE_FILE=" + filepath.Join(directory, "dice.json"), "DATABASE=" + filepath.Join(t.TempDir(), "dice.db")}
	die := startService(t, program, settings...)
	const (
		list     = `{"identifiers":["fair","risky"]}`
		fair     = `{"faces":[1,2,3,4,5,6],"error_rate":0}`
		known    = `: must be one of fair, risky"}`
		noPath   = `{"error":"no such path"}`
		readOnly = `{"error":"this path allows GET, HEAD only"}`
		refused  = "WARN lookup refused"
	)
	unknown := func(quoted string) string { return `{"error":"unknown die \"` + quoted + `\"` + known }
	tests := []struct {
		method, target string
		status         int
		body, record   string
	}{
		{"GET", "/dice", 200, list, ""},
		{"GET", "/dice?other=1", 200, list, ""},
		{"GET", "/%64ice", 200, list, ""},
		{"GET", "/dice?identifier=fair", 200, fair, "INFO die looked up"},
		{"GET", "/dice?identifier=risky", 200, `{"faces":[2,3,4,5,6,7],"error_rate":0.1}`, "INFO die looked up"},
		{"GET", "/dice?identifier=nope", 404, unknown("nope"), refused},
		{"GET", "/dice?identifier=Fair", 404, unknown("Fair"), refused},
		{"GET", "/dice?identifier=", 404, unknown(""), refused},
		{"GET", "/dice?identifier", 404, unknown(""), refused},
		{"GET", "/dice?identifier=%ff", 404, unknown(`\\xff`), refused},
		{"GET", "/dice?identifier=" + strings.Repeat("x", 99), 404, unknown(strings.Repeat("x", 40)), refused},
		{"GET", "/dice?identifier=fair%00", 404, unknown(`fair\\x00`), refused},
		{"GET", "/dice?identifier=%0d%0aSet-Cookie:x", 404, unknown(`\\r\\nSet-Cookie:x`), refused},
		{"GET", "/dice?identifier=%27+OR+1=1+--", 404, unknown("' OR 1=1 --"), refused},
		{"GET", "/dice?identifier=fair&identifier=fair", 400, `{"error":"identifier is given 2 times: give it once"}`, refused},
		{"GET", "/dice?identifier=%zz", 400, `{"error":"malformed query string: invalid URL escape \"%zz\""}`, refused},
		{"GET", "/dice?" + strings.Repeat("a=1&", 9_999) + "identifier=fair", 200, fair, "INFO die looked up"},
		{"GET", "/dice?" + strings.Repeat("identifier=fair&", 999), 400, `{"error":"identifier is given 999 times: give it once"}`, refused},
		{"GET", "/dice?" + strings.Repeat("&", 10_000), 400, `{"error":"malformed query string: number of URL query parameters exceeded limit"}`, refused},
		{"GET", "/", 404, noPath, ""},
		{"GET", "/dice/fair", 404, noPath, ""},
		{"INVENTED", "/nowhere", 404, noPath, ""},
		{"INVENTED", "/dice", 405, readOnly, ""},
		{"POST", "/dice", 405, readOnly, ""},
	}
	for _, test := range tests {
		name := test.method + " " + test.target[:min(len(test.target), 60)]
		ask(t, die, request{name: name, method: test.method, target: test.target, status: test.status, want: test.body, record: test.record})
	}
	ask(t, die, request{name: "a body that nobody wants", method: "GET", target: "/dice", endless: true, status: 200, want: list})
	ask(t, die, request{name: "a large form", method: "POST", target: "/dice", endless: true, status: 405, want: readOnly})

	late := startService(t, program, append(settings, "LATENCY=10s")...)
	arrived := make(chan struct{})
	close(arrived) // it has nothing behind it
	leave(t, late, request{name: "a caller who leaves", method: "GET", target: "/dice", record: "INFO lookup canceled by the caller"}, arrived)
}

// checkLookups asks a roll service for a roll while the die service behind it fails in each way there is.
func checkLookups(t *testing.T, program string) {
	dice := startBackend(t, nil)
	roll := startService(t, program, "DIE_URL="+dice.URL, "MAX_WAIT=0s")
	const nonsense, failed = "the die service sent an invalid response", "ERROR lookup failed"
	tests := []struct {
		name    string
		answer  http.HandlerFunc
		status  int
		message string
		record  string
	}{
		{"slow", slow, 504, "the die service took too long; try again later", failed},
		{"unavailable", replyWith(503, `{"error":"busy"}`), 503, "the die service is not available; try again later", failed},
		{"broken", breakOff, 502, nonsense, failed},
		{"no JSON", replyWith(200, `<html>`), 502, nonsense, failed},
		{"no faces", replyWith(200, `{"error_rate":0}`), 502, nonsense, failed},
		{"seven faces", replyWith(200, `{"faces":[1,2,3,4,5,6,7],"error_rate":0}`), 502, nonsense, failed},
		{"no error rate", replyWith(200, `{"faces":[1,2,3,4,5,6]}`), 502, nonsense, failed},
		{"error rate of 7", replyWith(200, `{"faces":[1,2,3,4,5,6],"error_rate":7}`), 502, nonsense, failed},
		{"failing", replyWith(500, `{"error":"sorry"}`), 502, nonsense, failed},
		{"another service", replyWith(404, `<html>`), 502, nonsense, failed},
		{"unknown die", replyWith(404, `{"error":"unknown die"}`), 400, "unknown die", "WARN roll refused"},
	}
	for _, test := range tests {
		dice.answer(test.answer)
		ask(t, roll, request{
			name: test.name, method: "GET", target: "/roll?die=fair",
			status: test.status, want: `{"error":"` + test.message + `"}`, record: test.record,
		})
	}

	asked := make(chan string, 1)
	dice.answer(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Query().Get("identifier")
		replyWith(404, `{"error":"unknown die"}`)(w, r)
	})
	ask(t, roll, request{name: "escaped", method: "GET", target: "/roll?die=fair%26identifier%3Drisky%23", status: 400, want: `{"error":"unknown die"}`})
	if got, want := <-asked, "fair&identifier=risky#"; got != want {
		t.Errorf("the die service was asked for %q, want %q", got, want)
	}

	arrived, ended := dice.hold()
	leave(t, roll, request{name: "a caller who leaves", method: "GET", target: "/roll?die=fair", record: "INFO lookup canceled by the caller"}, arrived)
	waitFor(t, "the lookup goes on", ended)

	dice.Close()
	got := ask(t, roll, request{
		name: "away", method: "GET", target: "/roll?die=fair",
		status: 503, want: `{"error":"the die service cannot be reached; try again later"}`, record: failed,
	})
	roll.wantRetry(t, got.trace)
}

// checkBatches asks a roll service for several dice at once, rightly and wrongly.
func checkBatches(t *testing.T, program string) {
	dice := startBackend(t, replyWith(200, `{"faces":[2,2,2,2,2,2],"error_rate":0}`))
	roll := startService(t, program, "DIE_URL="+dice.URL, "MAX_WAIT=1ms")
	const allowed, refused = "must be a whole number from 1 to 1000", "WARN roll refused"
	for _, test := range []struct{ query, message string }{
		{"", "die is missing: add one, such as ?die=fair"},
		{"die=fair", "times is missing: add it, such as &times=10"},
		{"die=fair&times=", `times is \"\": ` + allowed},
		{"die=fair&times=two", `times is \"two\": ` + allowed},
		{"die=fair&times=1.5", `times is \"1.5\": ` + allowed},
		{"die=fair&times=0", `times is \"0\": ` + allowed},
		{"die=fair&times=-1", `times is \"-1\": ` + allowed},
		{"die=fair&times=1001", `times is \"1001\": ` + allowed},
		{"die=fair&times=99999999999999999999", `times is \"99999999999999999999\": ` + allowed},
		{"die=fair&times=2&times=2", "times is given 2 times: give it once"},
		{"die=fair&times=2%zz", `malformed query string: invalid URL escape \"%zz\"`},
	} {
		ask(t, roll, request{name: test.query, method: "GET", target: "/roll-async?" + test.query, status: 400, want: `{"error":"` + test.message + `"}`, record: refused})
	}
	batch := request{name: "a batch", method: "GET", target: "/roll-async?die=fair&times=3", status: 200, want: `{"total":6}`, record: "INFO batch rolled"}
	ask(t, roll, batch)
	dice.answer(replyWith(200, `{"faces":[2,2,2,2,2,2],"error_rate":1}`))
	batch.name, batch.status, batch.want, batch.record = "a batch that fails", 500, `{"error":"the die failed; roll again"}`, "ERROR batch failed"
	ask(t, roll, batch)
	dice.answer(replyWith(404, `{"error":"unknown die"}`))
	batch.name, batch.status, batch.want, batch.record = "a batch of no die", 400, `{"error":"unknown die"}`, refused
	ask(t, roll, batch)

	dice.answer(replyWith(200, `{"faces":[2,2,2,2,2,2],"error_rate":0}`))
	patient := startService(t, program, "DIE_URL="+dice.URL, "MAX_WAIT=10s", "SEED=1")
	waiting := make(chan struct{}) // the lookup is over, so all that is left is to wait
	go func() {
		defer close(waiting)
		for t.Context().Err() == nil && patient.ended() == 0 {
			time.Sleep(time.Millisecond)
		}
	}()
	leave(t, patient, request{name: "a caller who leaves", method: "GET", target: "/roll-async?die=fair&times=100", record: "INFO batch canceled by the caller"}, waiting)
}
