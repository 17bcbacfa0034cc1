package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/dice/observability/internal/checklist"
	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/recorder"
)

// TestProbeUntilFailure requires that the risky die is rolled until it fails, unless a roll has failed already.
func TestProbeUntilFailure(t *testing.T) {
	for name, test := range map[string]struct {
		sent   []recorder.Exchange
		status []int // of the responses to rolls; the last one is repeated
		want   int   // rolls
	}{
		"at once":             {nil, []int{500}, 1},
		"at the third roll":   {nil, []int{200, 200, 500}, 3},
		"never":               {nil, []int{200}, mostRepeats},
		"no such route":       {nil, []int{404}, 1},
		"one failed before":   {[]recorder.Exchange{{Path: "/roll", Status: 500}}, []int{200}, 0},
		"a batch, and no die": {[]recorder.Exchange{{Path: "/roll-async", Status: 500}}, []int{500}, 1},
	} {
		rolls, others := 0, 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/roll" {
				others++
				return
			}
			w.WriteHeader(test.status[min(rolls, len(test.status)-1)])
			rolls++
		}))
		var requests recorder.Recorder
		_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
		service := compose.Service{Name: "roll", Port: compose.Port{Number: port}}
		if err := probe(t.Context(), &requests, service, checklist.LastProbes("roll", test.sent)); err != nil {
			t.Fatal(err)
		}
		requests.Close()
		server.Close()
		if rolls != test.want || others != 1 {
			t.Errorf("%s: %d rolls and %d other requests, want %d and 1", name, rolls, others, test.want)
		}
	}
}
