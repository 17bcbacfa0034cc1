package checklist

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/recorder"
)

// Probe is a GET request to a service, and the expected response.
type Probe struct {
	Path   string // with the query
	Repeat bool   // whether to send it again as long as it succeeds
	status int
	has    string // text in the body
}

const (
	// nowhere is a path that no service serves.
	nowhere = "/nowhere"

	// Panic is the name of a parameter that makes the handler of unknown paths panic, if the code that runs was built for that.
	Panic = "checklist-panic"

	// secret is the value of a parameter that no telemetry may contain.
	secret = "secret-4711"
)

// isPanic reports whether the handler of a request panicked.
func isPanic(x recorder.Exchange) bool {
	return strings.Contains(x.Query, Panic) && x.Status != http.StatusNotFound
}

// Probes returns the requests that a service must answer in a stage.
func Probes(service string, want declared.Telemetry) []Probe {
	unknown := []Probe{expect(nowhere, http.StatusNotFound, ""), expect(nowhere+"?"+Panic+"=1", http.StatusInternalServerError, "")}
	switch service {
	case "roll":
		probes := []Probe{expect("/roll?die=fair&token="+secret, http.StatusOK, `"roll":`), expect("/roll", http.StatusBadRequest, `"error":`), expect("/roll?die=nope", http.StatusBadRequest, `"error":`)}
		for _, span := range want.Spans {
			if span.Service == "roll" && span.Name == "GET /roll-async" && span.Kind == "server" {
				probes = append(probes, expect("/roll-async?die=fair&times=3", http.StatusOK, `"total":`), expect("/roll-async?die=fair&times=0", http.StatusBadRequest, `"error":`),
					expect("/roll-async?die=risky&times=100", http.StatusInternalServerError, `"error":`)) // at least one of a hundred dice fails
			}
		}
		return append(probes, unknown...)
	case "frontend":
		return append([]Probe{expect("/", http.StatusOK, "<form")}, unknown...)
	case "die":
		return append([]Probe{
			expect("/dice", http.StatusOK, `"identifiers":`), expect("/dice?identifier=fair&token="+secret, http.StatusOK, `"faces":`),
			expect("/dice?identifier=nope", http.StatusNotFound, `"error":`),
		}, unknown...)
	default:
		return nil
	}
}

func expect(path string, status int, has string) Probe {
	return Probe{Path: path, status: status, has: has}
}

// LastProbes returns the requests to send to a service after all others, just before it stops. If no roll has failed, which happens in one
// of a thousand runs, the risky die is rolled until it fails, because the items about failures need one.
func LastProbes(service string, sent []recorder.Exchange) []Probe {
	last := expect(nowhere, http.StatusNotFound, "")
	if service != "roll" || slices.ContainsFunc(sent, func(x recorder.Exchange) bool { return x.Path == "/roll" && x.Status == http.StatusInternalServerError }) {
		return []Probe{last}
	}
	return []Probe{{Path: "/roll?die=risky", Repeat: true}, last}
}

// route is the path without the query.
func (p Probe) route() string {
	path, _, _ := strings.Cut(p.Path, "?")
	return path
}

// routes lists the paths of probes, except for nowhere.
func routes(probes []Probe) string {
	var paths []string
	for _, p := range probes {
		if path := p.route(); path != nowhere && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return strings.Join(paths, " and ")
}

// checkAnswers describes the first response that is not the expected one.
func (e *evidence) checkAnswers(service string) Verdict {
	answers := filter(e.probes, func(x recorder.Exchange) bool { return x.Server == service })
	for i, p := range Probes(service, e.want) {
		if i >= len(answers) {
			break
		}
		err := p.check(answers[i])
		switch {
		case err == nil, strings.Contains(p.Path, Panic) && !isPanic(answers[i]): // a handler of their own, which does not panic
		case isPanic(answers[i]):
			return wrong("The checker made a handler panic, and %v. A middleware, httpjson.Recoverer, turns a panic into a response.", err).needs("httpjson.Recoverer")
		default:
			return wrong("GET %s: %v.", p.route(), err).needs(fmt.Sprintf("%q", p.route()))
		}
	}
	return e.checkUnanswered(service)
}

// checkUnanswered allows that a few requests get no response, because that happens on a busy machine.
func (e *evidence) checkUnanswered(service string) Verdict {
	const most = 0.1
	lost := filter(e.unanswered, func(x recorder.Exchange) bool { return x.Server == service })
	if all := len(lost) + len(e.callsTo(service)); float64(len(lost)) > most*float64(all) {
		return wrong("%d of %d requests got no response: %s. If this machine is busy with other programs, check again.", len(lost), all, lost[0].Err)
	}
	return Verdict{}
}

func (p Probe) check(got recorder.Exchange) error {
	switch {
	case got.Status == 0:
		return fmt.Errorf("there is no response: %s", got.Err)
	case got.Status != p.status:
		return fmt.Errorf("the status is %d, not %d", got.Status, p.status)
	case !strings.Contains(got.Received, p.has):
		return fmt.Errorf("the body does not contain %s", p.has)
	}
	return nil
}
