package checklist

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/recorder"
	"example.com/dice/observability/internal/store"
)

// checkTotals compares the values of a metric with the requests and the spans of the run.
func (e *evidence) checkTotals(service string, want declared.Metric, points []store.Point) Verdict {
	switch want.Name {
	case "dice.rolls":
		return e.checkRollCount(points)
	case "dice.roll.wait":
		return e.checkWaits(points)
	case "dice.roll.active":
		return checkActive(points)
	case "dice.batch.size":
		return e.checkBatchSizes(points)
	case "http.server.request.duration":
		return e.checkServerDurations(service, points)
	case "http.client.request.duration":
		return e.checkClientDurations(service, points)
	case "http.client.request.body.size":
		return e.checkClientCount(service, points)
	case "db.client.operation.duration":
		return e.checkQueryDurations(service, points)
	}
	return Verdict{}
}

// differs compares numbers by key, and describes the first difference, or returns "". A metric also contains some of the requests without a
// response.
func (e *evidence) differs(got, want map[string]int, unit string) string {
	all := maps.Clone(want)
	maps.Copy(all, got)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if got[key] < want[key] || got[key] > want[key] && len(e.unanswered) == 0 {
			return fmt.Sprintf("%s: the metric has %d, but the run had %s", key, got[key], plural(want[key], unit))
		}
	}
	return ""
}

// key joins values of attributes, such as "GET /roll 200".
func key(attributes map[string]string, names ...string) string {
	var values []string
	for _, name := range names {
		if value := attributes[name]; value != "" {
			values = append(values, value)
		}
	}
	return strings.Join(values, " ")
}

// checkRollCount compares the counter with the responses. How the dice of a batch ended is known from their spans only.
func (e *evidence) checkRollCount(points []store.Point) Verdict {
	names := []string{"die.identifier", "dice.roll.outcome", "die.value", "error.type"}
	total, got := 0, make(map[string]int)
	for _, point := range points {
		total += int(point.Value)
		got[key(point.Attributes, names...)] += int(point.Value)
	}
	dice, want, complete := 0, make(map[string]int), true
	for _, r := range e.rolled() {
		dice += r.times
		complete = complete && (r.times == 1 || len(r.spans) == r.times)
		for _, attributes := range r.outcomes() {
			want[key(attributes, names...)]++
		}
	}
	v := wrong("The counter is at %d after %s.", total, plural(dice, "roll")).needs("rolls.Add(ctx, 1")
	const fix = " Add 1 for each roll, with the attributes of its span."
	if complete {
		if difference := e.differs(got, want, "roll"); difference != "" {
			v.Reason += " " + difference + "." + fix
			return v
		}
		return Verdict{}
	}
	if total < dice || total > dice && len(e.unanswered) == 0 {
		v.Reason += fix
		return v
	}
	return Verdict{}
}

// checkWaits requires one wait for each roll that was not canceled, in seconds.
func (e *evidence) checkWaits(points []store.Point) Verdict {
	n, sum := total(points)
	least, most, longest := 0, 0, time.Duration(0) // how many waits there may be, and how long they are together
	for _, r := range e.rolled() {
		most += r.times
		longest += time.Duration(r.times) * r.call.End.Sub(r.call.Start)
		switch {
		case !r.failed || r.times == 1:
			least += r.times
		default:
			least += count(r.spans, func(s store.Span) bool { return s.Attributes["dice.roll.outcome"] != "canceled" })
		}
	}
	if len(e.unanswered) > 0 { // they may have waited too
		most, longest = n, 20*longest
	}
	switch {
	case n < least || n > most:
		return wrong("The histogram has %s, but %s waited. Record each wait once.", plural(n, "wait"), plural(least, "roll")).needs("rollWait.Record(")
	case sum > longest.Seconds():
		return wrong("The waits add up to %.3g in the histogram, but the requests took only %.3g s. The unit is s: record seconds, such as wait.Seconds().", sum, longest.Seconds()).needs("rollWait.Record(")
	case sum < e.leastWait(n).Seconds():
		return wrong("The waits add up to only %.3g in the histogram, but %s wait for up to %s each. The unit is s: record seconds, such as wait.Seconds().", sum, plural(n, "roll"), e.MaxWait).needs("rollWait.Record(")
	}
	return Verdict{}
}

// total returns the number and the sum of all values in a histogram.
func total(points []store.Point) (n int, sum float64) {
	for _, point := range points {
		n, sum = n+point.Count, sum+point.Value
	}
	return n, sum
}

// checkActive requires that an up-down counter was up, and is 0 at the end of the run.
func checkActive(points []store.Point) Verdict {
	highest := 0.0
	for _, point := range points {
		if point.Value != 0 {
			return wrong("At the end of the run, the counter is at %.0f for %s, but no roll is in flight. Add 1 when a roll begins, and -1 when it ends, with defer, in any case.", point.Value, point.Attributes["die.identifier"]).needs("rollsActive.Add(ctx, -1")
		}
		highest = max(highest, point.Peak)
	}
	if highest <= 0 {
		return wrong("The counter was never above 0, although rolls were in flight. Add 1 when a roll begins, and -1 when it ends, with defer.").needs("rollsActive.Add(ctx, 1")
	}
	return Verdict{}
}

func (e *evidence) checkBatchSizes(points []store.Point) Verdict {
	got, want := make(map[string]int), make(map[string]int)
	gotDice, wantDice := make(map[string]int), make(map[string]int)
	for _, point := range points {
		k := key(point.Attributes, "die.identifier", "dice.batch.outcome")
		got[k] += point.Count
		gotDice[k] += int(point.Value)
	}
	for _, x := range e.callsTo("roll") {
		if b, ok := batchOf(x); ok && x.Path == "/roll-async" {
			outcome := map[bool]string{false: "rolled", true: "failed"}[b.failed]
			want[b.die+" "+outcome]++
			wantDice[b.die+" "+outcome] += b.times
		}
	}
	if difference := e.differs(got, want, "batch"); difference != "" {
		return wrong("%s. Record each batch once, when it has ended.", strings.ReplaceAll(difference, "batchs", "batches")).needs("batchSize.Record(")
	}
	if difference := e.differs(gotDice, wantDice, "roll"); difference != "" {
		return wrong("The sum of the sizes differs. %s. Record the number of dice in the request.", difference).needs("batchSize.Record(")
	}
	return Verdict{}
}

// checkServerDurations requires a duration in seconds for each request.
func (e *evidence) checkServerDurations(service string, points []store.Point) Verdict {
	calls := e.callsTo(service)
	got, want, scopes := make(map[string]int), make(map[string]int), make(map[string]bool)
	for _, point := range points {
		got[key(point.Attributes, "http.request.method", "http.route", "http.response.status_code")] += point.Count
		scopes[point.Scope] = true
	}
	for _, x := range calls {
		route := x.Path
		if x.Path == nowhere || x.Status == http.StatusNotFound && service != "die" { // only the die service answers 404 itself
			route = ""
		}
		want[key(map[string]string{"m": x.Method, "r": route, "s": strconv.Itoa(x.Status)}, "m", "r", "s")]++
	}
	difference := e.differs(got, want, "request")
	switch {
	case difference != "" && len(scopes) > 1:
		return wrong("%s. It is recorded by more than one package: %s. Use one of them.", difference, list(slices.Sorted(maps.Keys(scopes)))).needs("httptelemetry.Server(")
	case difference != "":
		v := wrong("%s. Record the duration of each request once, with its route and the status of its response.", difference).needs("httptelemetry.Server(")
		if slices.ContainsFunc(calls, isPanic) && strings.HasPrefix(difference, "GET 500: the metric has 0") {
			v.Reason += " The handler panicked: the middleware must come before the one that turns a panic into a response."
		}
		return v
	}
	for _, point := range points {
		status, kind := point.Attributes["http.response.status_code"], point.Attributes["error.type"]
		failure := ""
		if strings.HasPrefix(status, "5") {
			failure = status
		}
		if kind != failure {
			return wrong("A data point with the status %s has the error.type %q. It must be the status of a failure, and unset otherwise.", status, kind).needs("httptelemetry.Server(")
		}
	}
	spans := e.spansOf(service, func(s store.Span) bool { return s.Kind == "server" })
	return checkSeconds(points, spans).needs("httptelemetry.Server(")
}

// checkSeconds compares durations in a histogram with those of the spans of the same requests. The process measures both at nearly the same
// points, so on a busy machine they differ less than a wrong unit would make them differ.
func checkSeconds(points []store.Point, spans []store.Span) Verdict {
	const most = 20 // times as long
	_, sum := total(points)
	var all time.Duration
	for _, span := range spans {
		all += span.Duration()
	}
	if len(spans) > 0 && (sum > most*all.Seconds() || sum < all.Seconds()/most) {
		return wrong("The durations add up to %.3g in the histogram, but the spans of the requests took %.3g s. The unit is s: record seconds.", sum, all.Seconds())
	}
	return Verdict{}
}

func (e *evidence) checkClientDurations(service string, points []store.Point) Verdict {
	if v := e.checkClientCount(service, points); !v.There() {
		return v
	}
	spans := e.spansOf(service, func(s store.Span) bool { return s.Kind == "client" })
	return checkSeconds(points, spans).needs("otelhttp.NewTransport(")
}

// checkClientCount requires a value for each request that a service sent.
func (e *evidence) checkClientCount(service string, points []store.Point) Verdict {
	got, want := make(map[string]int), make(map[string]int)
	for _, point := range points {
		got[key(point.Attributes, "http.request.method", "http.response.status_code")] += point.Count
	}
	for _, x := range e.calls(func(x recorder.Exchange) bool { return x.Client == service }) {
		want[x.Method+" "+strconv.Itoa(x.Status)]++
	}
	if difference := e.differs(got, want, "request"); difference != "" {
		return wrong("%s. Give each http.Client an instrumented transport, and wrap it once.", difference).needs("otelhttp.NewTransport(")
	}
	return Verdict{}
}

// checkQueryDurations requires a duration for each query within a request. The operations at the start have no route.
func (e *evidence) checkQueryDurations(service string, points []store.Point) Verdict {
	got, want := make(map[string]int), make(map[string]int)
	points = filter(points, func(p store.Point) bool {
		return p.Attributes["http.route"] != "" && strings.HasPrefix(p.Attributes["db.query.summary"], "SELECT")
	})
	for _, point := range points {
		got[point.Attributes["db.query.summary"]] += point.Count
	}
	for _, x := range e.callsTo(service) {
		for _, query := range []string{"SELECT dice", "SELECT dice faces"} {
			if n := queriesOf(x, query); n > 0 {
				want[query] += n
			}
		}
	}
	if difference := e.differs(got, want, "query"); difference != "" {
		return wrong("%s. The metric needs the attribute http.route for queries within a request.", strings.ReplaceAll(difference, "querys", "queries")).needs("otelsql.WithInstrumentAttributesGetter(")
	}
	spans := e.spansOf(service, func(s store.Span) bool { return strings.HasPrefix(s.Attributes["db.query.summary"], "SELECT") })
	return checkSeconds(points, spans).needs("otelsql.Open(")
}
