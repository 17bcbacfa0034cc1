package observability_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"example.com/dice/observability/internal/table"
)

// figures say what became of requests and of their telemetry while a service was stopped and started.
type figures struct {
	service  string
	stops    []stop
	replies  int // whole ones
	underWay int // of these, when the service was told to stop
	refused  int // connections
	unread   int // requests on a connection that the service closed before it read them
	cutOff   int // requests that it handled without a whole reply

	spans, records, counts int // lost
	surplus                int // in the metric, of requests of which nothing else tells
}

// figures compares what the clients of a service had with what its telemetry says.
//
// A request without a reply was cut off if there is a span of it.
func (s *stops) figures(service string) figures {
	f := figures{service: service, stops: s.log[service]}
	spans, all := spansByParent(s.running.Store, service)
	records := make(map[string]int)
	for _, record := range s.running.Store.Records() {
		if record.Service == service {
			records[record.TraceID]++
		}
	}
	for _, c := range s.load.of(service) {
		handled := spans[c.span]
		switch {
		case c.err == nil:
			f.replies++
			f.cutOff += max(0, handled-1)
			f.spans += max(0, 1-handled)
			f.records += max(0, c.records()-records[c.trace])
			if slices.ContainsFunc(f.stops, func(s stop) bool { return c.begin.Before(s.at) && c.end.After(s.at) }) {
				f.underWay++
			}
		case handled > 0:
			f.cutOff += handled
		case c.refused():
			f.refused++
		default:
			f.unread++
		}
	}
	f.cutOff += s.cutOffBetween(service)
	f.compareCounts(countPoints(s.running.Store, "http.server.request.duration", service, "", ""), all+f.spans)
	return f
}

// cutOffBetween counts the calls by other services, for requests of the load, that a service handled without a reply.
// A server's status 499 says that the caller went away.
func (s *stops) cutOffBetween(service string) int {
	const status = "http.response.status_code"
	traces, unanswered := make(map[string]bool), make(map[string]bool)
	for _, c := range s.load.of("frontend") {
		traces[c.trace] = true
	}
	spans := s.running.Store.Spans()
	for _, span := range spans {
		unanswered[span.ID] = span.Kind == "client" && traces[span.TraceID] && span.Attributes[status] == ""
	}
	count := 0
	for _, span := range spans {
		if span.Service == service && span.Kind == "server" && unanswered[span.Parent] && span.Attributes[status] != "499" {
			count++
		}
	}
	return count
}

// figuresOfTraffic wants a span of the generator for each request that the frontend had from it, and a summary for
// each of its runs.
func (s *stops) figuresOfTraffic() figures {
	f := figures{service: "traffic", stops: s.log["traffic"], records: s.rounds}
	callers := make(map[string]bool)
	for _, c := range s.load.of("frontend") {
		callers[c.span] = true
	}
	for _, span := range s.running.Store.Spans() {
		if span.Service == "traffic" && span.Kind == "client" && !callers[span.ID] {
			callers[span.ID] = true
			f.replies++
		}
	}
	handled, _ := spansByParent(s.running.Store, "frontend")
	for caller := range handled {
		if !callers[caller] {
			f.spans++
		}
	}
	for _, record := range s.running.Store.Records() {
		if record.Service == "traffic" && record.Message == "traffic generation was interrupted" {
			f.records--
		}
	}
	f.compareCounts(countPoints(s.running.Store, "http.client.request.duration", "traffic", "", ""), f.replies+f.spans)
	return f
}

func (f *figures) compareCounts(got, want int) {
	f.counts, f.surplus = max(0, want-got), max(0, got-want)
}

// check wants nothing cut off, nothing lost, and no slow stop.
func (f figures) check(t *testing.T, rounds int) {
	t.Helper()
	median, longest := f.took()
	t.Logf("%s: %d stops, %d requests, %d under way at a stop, %d cut off, %d closed unread, %d refused; lost: %d spans, %d log records, %d metric counts; stop: median %s, longest %s",
		f.service, len(f.stops), f.replies, f.underWay, f.cutOff, f.unread, f.refused, f.spans, f.records, f.counts, median, longest)
	equal(t, "stops of "+f.service, len(f.stops), rounds)
	equal(t, "requests cut off by "+f.service, f.cutOff, 0)
	equal(t, "lost spans of "+f.service, f.spans, 0)
	equal(t, "lost log records of "+f.service, f.records, 0)
	equal(t, "lost metric counts of "+f.service, f.counts, 0)
	equal(t, "unknown requests in the metric of "+f.service, f.surplus, 0)
	if longest > longestStop {
		t.Errorf("%s took %s to stop", f.service, longest)
	}
	if f.underWay == 0 && f.service != "traffic" {
		t.Errorf("%s had no request under way at any stop: this tests nothing", f.service)
	}
}

func (f figures) took() (median, longest time.Duration) {
	var all []time.Duration
	for _, s := range f.stops {
		all = append(all, s.took.Round(time.Millisecond))
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)-1]
}

// stopsTable is the table of the README.
func stopsTable(rows []figures) *table.Table {
	tb := table.New("service", "stops", "requests", "cut off", "lost: spans", "log records", "counted requests", "median stop", "longest")
	for _, f := range rows {
		median, longest := f.took()
		tb.Row(f.service, strconv.Itoa(len(f.stops)), strconv.Itoa(f.replies), strconv.Itoa(f.cutOff),
			strconv.Itoa(f.spans), strconv.Itoa(f.records), strconv.Itoa(f.counts), median.String(), longest.String())
	}
	return tb
}
