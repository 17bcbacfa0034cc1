package observability_test

import (
	"testing"

	"example.com/dice/observability/internal/stage"
	"example.com/dice/observability/internal/store"
)

// TestAccount adds up what the generator did, in everything that tells of it. Nothing may be missing, and
// nothing be there twice.
func TestAccount(t *testing.T) {
	for _, name := range stages(t) {
		t.Run(name, func(t *testing.T) {
			s, generated := run(t, name, func(*stage.Running, *stage.Stage) {})
			if generated.Rolls < 100 {
				t.Fatalf("only %d rolls", generated.Rolls)
			}
			counts := map[string]int{
				"server spans":                 countSpans(s, "roll", "server"),
				"server spans of client spans": countCalls(s, "traffic", "roll"),
				"spans roll die":               countSpans(s, "roll", "internal"),
				"client spans":                 countSpans(s, "traffic", "client"),
				"log records":                  countRecords(s, "rolled", "roll failed"),
				"http.server.request.duration": countPoints(s, "http.server.request.duration", ""),
				"http.client.request.duration": countPoints(s, "http.client.request.duration", ""),
				"dice.roll.wait":               countPoints(s, "dice.roll.wait", ""),
				"dice.rolls":                   countPoints(s, "dice.rolls", ""),
			}
			for what, got := range counts {
				if got != generated.Rolls {
					t.Errorf("%d %s, want %d", got, what, generated.Rolls)
				}
			}
			for status, want := range generated.Replies {
				if got := countPoints(s, "http.server.request.duration", status); got != want {
					t.Errorf("%d replies with status %s were measured, want %d", got, status, want)
				}
			}
			if got, want := countRecords(s, "roll failed"), generated.Replies["500"]; got != want {
				t.Errorf("%d failures were logged, want %d", got, want)
			}
		})
	}
}

func countSpans(s *store.Store, service, kind string) int {
	count := 0
	for _, span := range s.Spans() {
		if span.Service == service && span.Kind == kind {
			count++
		}
	}
	return count
}

// countCalls counts the server spans of one service whose parent is a client span of another.
func countCalls(s *store.Store, client, server string) int {
	callers := make(map[string]bool)
	for _, span := range s.Spans() {
		callers[span.ID] = span.Service == client && span.Kind == "client"
	}
	count := 0
	for _, span := range s.Spans() {
		if span.Service == server && span.Kind == "server" && callers[span.Parent] {
			count++
		}
	}
	return count
}

func countRecords(s *store.Store, messages ...string) int {
	count := 0
	for _, record := range s.Records() {
		for _, message := range messages {
			if record.Service == "roll" && record.Message == message {
				count++
			}
		}
	}
	return count
}

// countPoints adds up the counts of a histogram or the values of a counter, of all series or of those with an
// HTTP status.
func countPoints(s *store.Store, name, status string) int {
	count := 0
	for _, point := range s.Points() {
		if point.Name != name || (status != "" && point.Attributes["http.response.status_code"] != status) {
			continue
		}
		if point.Type == "histogram" {
			count += point.Count
		} else {
			count += int(point.Value)
		}
	}
	return count
}
