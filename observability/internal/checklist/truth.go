package checklist

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strconv"

	"example.com/dice/observability/internal/recorder"
)

// nameOf returns the name that spans of a request have.
func nameOf(x recorder.Exchange) string { return x.Method + " " + x.Path }

// batch is what a request to the roll service and its response say about the dice that were rolled.
type batch struct {
	die    string
	times  int
	total  int // of the values, if no die failed
	failed bool
}

// batchOf returns the dice of a request, or false if none were rolled.
func batchOf(x recorder.Exchange) (batch, bool) {
	if x.Server != "roll" || x.Path != "/roll" && x.Path != "/roll-async" || isPanic(x) || x.Status != http.StatusOK && x.Status != http.StatusInternalServerError {
		return batch{}, false
	}
	var response struct{ Roll, Total int }
	if json.Unmarshal([]byte(x.Received), &response) != nil {
		return batch{}, false
	}
	b := batch{die: parameter(x.Query, "die"), times: 1, total: response.Roll + response.Total, failed: x.Status != http.StatusOK}
	if x.Path == "/roll-async" {
		b.times, _ = strconv.Atoi(parameter(x.Query, "times")) // the service has accepted it
	}
	return b, true
}

// parameter returns the value of a parameter in a query string or a form.
func parameter(query, name string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	return values.Get(name)
}

// entry is a log record that a request must lead to.
type entry struct {
	message    string
	attributes map[string]string // the values that are known; the record may have more
}

// entriesOf returns the log records of the server for a request. The name is that of the user who sent it.
func entriesOf(x recorder.Exchange, user string) []entry {
	switch {
	case isPanic(x):
		return []entry{{"handler panicked", nil}}
	case x.Path == nowhere:
		return []entry{{"request refused", map[string]string{"url.path": nowhere, "http.response.status_code": "404"}}}
	case x.Server == "roll":
		return entriesOfRoll(x)
	case x.Server == "frontend":
		return entriesOfFrontend(x, user)
	case x.Server == "die" && parameter(x.Query, "identifier") != "" && x.Status == http.StatusOK:
		return []entry{{"die looked up", map[string]string{"die.identifier": parameter(x.Query, "identifier")}}}
	case x.Server == "die" && x.Status == http.StatusNotFound:
		return []entry{{"lookup refused", nil}}
	}
	return nil
}

func entriesOfRoll(x recorder.Exchange) []entry {
	b, ok := batchOf(x)
	known := map[string]string{"die.identifier": b.die}
	if x.Path == "/roll-async" {
		known["dice.batch.size"] = strconv.Itoa(b.times)
	}
	switch {
	case x.Status == http.StatusBadRequest:
		return []entry{{"roll refused", nil}}
	case !ok:
		return nil
	case b.failed && x.Path == "/roll":
		return []entry{{"roll failed", known}}
	case b.failed:
		return []entry{{"batch failed", known}}
	case x.Path == "/roll":
		known["die.value"] = strconv.Itoa(b.total)
		return []entry{{"rolled", known}}
	default:
		known["dice.batch.total"] = strconv.Itoa(b.total)
		return []entry{{"batch rolled", known}}
	}
}

func entriesOfFrontend(x recorder.Exchange, user string) []entry {
	switch nameOf(x) {
	case "POST /":
		run := map[string]string{"die.identifier": parameter(x.Sent, "die"), "http.response.status_code": strconv.Itoa(x.Status)}
		ran := maps.Clone(run)
		ran["user.name"] = user
		if times := parameter(x.Sent, "times"); times != "" {
			run["times"], ran["dice.batch.size"] = times, times
		}
		return []entry{{"run", run}, {"ran", ran}}
	case "POST /sign-in":
		return []entry{{"sign-in", nil}, {"signed in", map[string]string{"user.name": user}}}
	case "POST /sign-out":
		return []entry{{"sign-out", nil}}
	}
	return nil
}

// queriesOf returns how many spans of a query a lookup of a die leads to.
func queriesOf(x recorder.Exchange, query string) int {
	one := parameter(x.Query, "identifier") != ""
	switch {
	case x.Server != "die" || x.Path != "/dice" || isPanic(x):
		return 0
	case query == "SELECT dice faces" && one, query == "SELECT dice" && (!one || x.Status == http.StatusNotFound):
		return 1
	}
	return 0
}

// users returns the name with which each user of the traffic generator has signed in, by the user's label.
func (e *evidence) users() map[string]string {
	names := make(map[string]string)
	for _, x := range e.Exchanges {
		if nameOf(x) == "POST /sign-in" {
			names[e.byID[x.SpanID].Attributes["traffic.user"]] = parameter(x.Sent, "name")
		}
	}
	return names
}

// entries returns the log records that the requests to a service must lead to, with the request of each.
func (e *evidence) entries(service string) map[string][]expected {
	users := e.users()
	all := make(map[string][]expected)
	for _, x := range e.callsTo(service) {
		for _, one := range entriesOf(x, users[e.byID[x.SpanID].Attributes["traffic.user"]]) {
			all[one.message] = append(all[one.message], expected{one, x})
		}
	}
	return all
}

// expected is a log record that must exist, and the request that leads to it.
type expected struct {
	entry

	call recorder.Exchange
}
