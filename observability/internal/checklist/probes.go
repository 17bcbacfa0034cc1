package checklist

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"example.com/dice/observability/internal/declared"
)

// Probe is a GET request to a service, and the expected response.
type Probe struct {
	Path   string // with the query
	status int
	has    string // text in the body
}

// nowhere is a path that no service serves.
const nowhere = "/nowhere"

// route is the path without the query.
func (p Probe) route() string {
	path, _, _ := strings.Cut(p.Path, "?")
	return path
}

// Probes returns the requests that a service must answer in a stage.
func Probes(service string, want declared.Telemetry) []Probe {
	switch service {
	case "roll":
		probes := []Probe{{"/roll?die=fair", http.StatusOK, `"roll":`}, {"/roll", http.StatusBadRequest, `"error":`}, {nowhere, http.StatusNotFound, `"error":`}}
		for _, span := range want.Spans {
			if span.Service == "roll" && span.Name == "GET /roll-async" && span.Kind == "server" {
				return append(probes, Probe{"/roll-async?die=fair&times=3", http.StatusOK, `"total":`}, Probe{"/roll-async?die=fair&times=0", http.StatusBadRequest, `"error":`},
					Probe{"/roll-async?die=risky&times=100", http.StatusInternalServerError, `"error":`}) // at least one of a hundred dice fails
			}
		}
		return probes
	case "frontend":
		return []Probe{{"/", http.StatusOK, "<form"}, {nowhere, http.StatusNotFound, ""}}
	case "die":
		return []Probe{{"/dice", http.StatusOK, `"identifiers":`}, {"/dice?identifier=fair", http.StatusOK, `"faces":`}, {"/dice?identifier=nope", http.StatusNotFound, `"error":`}}
	default:
		return nil
	}
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
func (r *Run) checkAnswers(service string, want declared.Telemetry) Verdict {
	probes := Probes(service, want)
	for i, got := range r.service(service).Responses {
		if err := probes[i].check(got); err != nil {
			return Verdict{fmt.Sprintf("GET %s: %v.", probes[i].Path, err), fmt.Sprintf("%q", probes[i].route())}
		}
	}
	return Verdict{}
}

func (p Probe) check(got Response) error {
	switch {
	case got.Err != nil:
		return got.Err
	case got.Status != p.status:
		return fmt.Errorf("the status is %d, not %d", got.Status, p.status)
	case !strings.Contains(got.Body, p.has):
		return fmt.Errorf("the body does not contain %s", p.has)
	}
	return nil
}
