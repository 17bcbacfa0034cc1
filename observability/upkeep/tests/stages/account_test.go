package stages

import (
	"slices"
	"strings"

	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/store"
)

// checkAccount adds up what the generator did, in everything that tells of it. Nothing may be missing, and nothing may
// be there twice.
func checkAccount(t errorer, s *running, generated summary) {
	t.Helper()
	checkCalls(t, s.Store, s.declared.Calls, generated)
	checkRolls(t, s.Store, generated)
	checkQueries(t, s.Store, s.declared)
}

// checkCalls wants two spans for each call, the client's and the server's, and a duration at either end.
func checkCalls(t errorer, s *store.Store, calls []declared.Call, generated summary) {
	t.Helper()
	from, to := make(map[string]int), make(map[string]int)
	for _, call := range calls {
		want := call.Count(generated.Rolls, generated.Users)
		from[call.Client] += want
		to[call.Server] += want
		if got := countCalls(s, call.Client, call.Server); got != want {
			t.Errorf("%d calls of %s by %s, want %d", got, call.Server, call.Client, want)
		}
	}
	for service, want := range from {
		equal(t, "client spans of "+service, countSpans(s, service, "client"), want)
		equal(t, "http.client.request.duration of "+service, countPoints(s, "http.client.request.duration", service, "", ""), want)
	}
	for service, want := range to {
		equal(t, "server spans of "+service, countSpans(s, service, "server"), want)
		equal(t, "http.server.request.duration of "+service, countPoints(s, "http.server.request.duration", service, "", ""), want)
	}
}

// checkRolls wants each die once, in the spans and metrics of the roll service, and each request once in its log
// records. A die of a batch that fails counts too: it was rolled, has failed, or was canceled.
func checkRolls(t errorer, s *store.Store, generated summary) {
	t.Helper()
	dice := generated.dice()
	equal(t, "spans roll die", countSpans(s, "roll", "internal"), dice)
	equal(t, "log records", countRecords(s, "rolled", "roll failed", "batch rolled", "batch failed"), generated.Rolls)
	equal(t, "dice.roll.wait and canceled rolls", countPoints(s, "dice.roll.wait", "roll", "", "")+countPoints(s, "dice.rolls", "roll", "dice.roll.outcome", "canceled"), dice)
	equal(t, "dice.rolls", countPoints(s, "dice.rolls", "roll", "", ""), dice)
	equal(t, "dice.roll.active", countPoints(s, "dice.roll.active", "roll", "", ""), 0)
	equal(t, "dice.batch.size", countPoints(s, "dice.batch.size", "roll", "", ""), countPoints(s, "http.server.request.duration", "roll", "http.route", "/roll-async"))
	equal(t, "failures that were logged", countRecords(s, "roll failed", "batch failed"), generated.Replies["500"])
	for status, want := range generated.Replies {
		equal(t, "replies with status "+status, countPoints(s, "http.server.request.duration", "roll", "http.response.status_code", status), want)
	}
}

// checkQueries wants one query for each lookup in a die service with a database, in its spans and metrics.
func checkQueries(t errorer, s *store.Store, want declared.Telemetry) {
	t.Helper()
	const duration = "db.client.operation.duration"
	if !slices.ContainsFunc(want.Metrics, func(metric declared.Metric) bool { return metric.Name == duration }) {
		return
	}
	counted := 0
	for _, point := range s.Points() {
		if point.Name == duration && strings.HasPrefix(point.Attributes["db.query.summary"], "SELECT ") && point.Attributes["http.route"] == "/dice" {
			counted += point.Count
		}
	}
	for _, span := range s.Spans() {
		for die := range strings.FieldsSeq("fair risky loaded") {
			if text := span.Attributes["db.query.text"]; strings.Contains(text, die) {
				t.Errorf("a value is in the text of a query: %s", text)
			}
		}
	}
	lookUps := countSpans(s, "die", "server")
	equal(t, "spans of queries", countSpans(s, "die", "client"), lookUps)
	equal(t, "queries in "+duration, counted, lookUps)
}

func equal(t errorer, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%d %s, want %d", got, what, want)
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

// countPoints adds up the counts of a histogram or the values of a counter, of all series of a service or of those
// with this value of an attribute.
func countPoints(s *store.Store, name, service, attribute, value string) int {
	count := 0
	for _, point := range s.Points() {
		if point.Name != name || point.Service != service || (attribute != "" && point.Attributes[attribute] != value) {
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
