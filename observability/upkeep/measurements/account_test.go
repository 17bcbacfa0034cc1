//go:build measurements

package measurements

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/upkeep/internal/engine"
	"example.com/dice/observability/upkeep/internal/probe"
	"example.com/dice/observability/upkeep/internal/stack"
)

// written is a log record that a service wrote to the terminal while it had a request. It is the measure: the same
// record must be in Loki, and the request's span in Tempo.
type written struct {
	service, tenant string
	message         string
	trace, span     string
	at              time.Time
}

// key is what tells a record from all others.
func (w written) key() string { return w.tenant + " " + w.span + " " + w.message }

// account is what the services did since some time, by their own words on the terminal.
type account struct {
	services []string
	since    time.Time
	records  []written
	failed   map[string][]time.Time // by service: when it reported that telemetry could not be delivered
	counted  map[string]int         // by service: requests in Prometheus before

	inTempo, inLoki map[string]bool // keys of what was found there
}

// newAccount begins when there is no load, and all that was done before is in the metrics.
func newAccount(t *testing.T, services []string) *account {
	t.Helper()
	a := &account{
		services: services, since: time.Now(), counted: make(map[string]int),
		inTempo: make(map[string]bool), inLoki: make(map[string]bool),
	}
	for _, service := range services {
		stack.Eventually(t, "the count of "+service, func() (err error) {
			a.counted[service], err = requests(service)
			return err
		})
	}
	return a
}

// requests returns how many requests a service has counted, all its instances together. Of the frontend they are those that
// run dice.
func requests(service string) (int, error) {
	only := fmt.Sprintf("service_name=%q", service)
	if service == "frontend" {
		only += `,http_request_method="POST",http_route="/"`
	}
	return engine.Local.Total("last_over_time(http_server_request_duration_seconds_count{" + only + "}[6h])")
}

// read reads the terminal.
func (a *account) read(t *testing.T, s *stack.Stack) {
	t.Helper()
	a.records, a.failed = nil, make(map[string][]time.Time)
	for _, service := range a.services {
		output := s.Compose(t, "logs", "--no-log-prefix", "--no-color", "--since", a.since.UTC().Format(time.RFC3339Nano), service)
		for _, record := range stack.JSONLines(output) {
			at := timeOf(t, record)
			switch {
			case record["msg"] == "telemetry error":
				a.failed[service] = append(a.failed[service], at)
			case record["span_id"] != nil:
				tenant := probe.Dice
				if record["usage"] == true {
					tenant = probe.Usage
				}
				a.records = append(a.records, written{service, tenant, fmt.Sprint(record["msg"]), fmt.Sprint(record["trace_id"]), fmt.Sprint(record["span_id"]), at})
			}
		}
	}
}

// isRequest reports whether a record is the one of a request that [requests] counts. The frontend writes others too.
func isRequest(w written) bool {
	return !slices.Contains([]string{"sign-in", "signed in", "ran", "no response from the die service"}, w.message)
}

// requests returns how many requests a service wrote of before a time, but for those that a filter takes out.
func (a *account) requests(service string, before time.Time, without func(written) bool) int {
	n := 0
	for _, w := range a.records {
		if w.service == service && isRequest(w) && w.at.Before(before) && !without(w) {
			n++
		}
	}
	return n
}

// missing is telemetry that the engines do not have.
type missing struct {
	spans, logs []written
	counts      map[string]int // by service: requests that its metric did not count; negative: that nobody wrote of
}

// compare looks for all that was written before a time. It asks for what it has not found yet.
func (a *account) compare(before time.Time) (missing, error) {
	m := missing{counts: make(map[string]int)}
	for _, service := range a.services {
		counted, err := requests(service)
		if err != nil {
			return m, err
		}
		if service != "die" { // which writes no record of who wants the list of all dice
			m.counts[service] = a.requests(service, before, func(written) bool { return false }) - (counted - a.counted[service])
		}
		var spans []written
		logs := make(map[string][]written) // by tenant
		for _, w := range a.records {
			if w.service != service || w.at.After(before) {
				continue
			}
			if !a.inTempo[w.span] {
				spans = append(spans, w)
			}
			if !a.inLoki[w.key()] {
				logs[w.tenant] = append(logs[w.tenant], w)
			}
		}
		if err := seek(spans, a.inTempo, func(from, to time.Time) ([]string, error) { return serverSpans(service, from, to) }); err != nil {
			return m, err
		}
		m.spans = append(m.spans, slices.DeleteFunc(spans, func(w written) bool { return a.inTempo[w.span] })...)
		for tenant, records := range logs {
			if err := seek(records, a.inLoki, func(from, to time.Time) ([]string, error) { return logKeys(tenant, service, from, to) }); err != nil {
				return m, err
			}
			m.logs = append(m.logs, slices.DeleteFunc(records, func(w written) bool { return a.inLoki[w.key()] })...)
		}
	}
	if len(m.spans) < 50 { // more are on their way
		m.spans = slices.DeleteFunc(m.spans, inTrace)
	}
	return m, nil
}

// seek asks for the times of records, a few seconds at once, and notes the keys that are found.
func seek(records []written, found map[string]bool, query func(from, to time.Time) ([]string, error)) error {
	const atOnce = 10 * time.Second
	slices.SortFunc(records, func(a, b written) int { return a.at.Compare(b.at) })
	var end time.Time
	for _, w := range records {
		if w.at.Before(end) {
			continue
		}
		end = w.at.Add(atOnce)
		keys, err := query(w.at, end)
		if err != nil {
			return err
		}
		for _, key := range keys {
			found[key] = true
		}
	}
	return nil
}

// err says what is missing.
func (m missing) err() error {
	var errs []error
	if len(m.spans) > 0 {
		errs = append(errs, fmt.Errorf("%d spans are missing, such as %+v", len(m.spans), m.spans[0]))
	}
	if len(m.logs) > 0 {
		errs = append(errs, fmt.Errorf("%d log records are missing, such as %+v", len(m.logs), m.logs[0]))
	}
	for service, n := range m.counts {
		if n != 0 {
			errs = append(errs, fmt.Errorf("%s wrote of %+d requests against its metric", service, n))
		}
	}
	return errors.Join(errs...)
}

// serverSpans returns the ids of a service's server spans in traces of some time.
func serverSpans(service string, from, to time.Time) ([]string, error) {
	var reply struct {
		Traces []struct {
			SpanSets []struct{ Spans []struct{ SpanID string } }
		}
	}
	err := engine.GetJSON(probe.Dice, engine.Local.Tempo+"/api/search", engine.Window(from, to, url.Values{
		"q":    {fmt.Sprintf(`{ resource.service.name = %q && kind = server }`, service)},
		"spss": {"20"}, // spans of each trace
	}), &reply)
	var ids []string
	for _, trace := range reply.Traces {
		for _, set := range trace.SpanSets {
			for _, span := range set.Spans {
				ids = append(ids, strings.Repeat("0", 16-len(span.SpanID))+span.SpanID) // Tempo leaves out leading zeros
			}
		}
	}
	return ids, err
}

// inTrace reports whether a record's span is in its trace. Tempo's search shows, of a trace that lies in several blocks, the spans
// of one block.
func inTrace(w written) bool {
	spans, err := engine.Local.Trace(w.trace)
	return err == nil && slices.ContainsFunc(spans, func(s engine.Span) bool {
		id, err := base64.StdEncoding.DecodeString(s.ID)
		return err == nil && hex.EncodeToString(id) == w.span
	})
}

// logKeys returns the keys of a service's records of some time at a tenant.
func logKeys(tenant, service string, from, to time.Time) ([]string, error) {
	records, err := engine.Local.LogQLBetween(tenant, fmt.Sprintf(`{service_name=%q} | trace_id != ""`, service), from, to)
	var keys []string
	for _, record := range records {
		keys = append(keys, written{tenant: tenant, span: record["span_id"], message: record["line"]}.key())
	}
	return keys, err
}

func timeOf(t *testing.T, record map[string]any) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(record["time"]))
	if err != nil {
		t.Fatal(err)
	}
	return at
}
