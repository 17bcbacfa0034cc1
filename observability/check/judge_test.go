package main

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/dice/observability/internal/checklist"
	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/progress"
	"example.com/dice/observability/internal/recorder"
	"example.com/dice/observability/internal/store"
)

// recordings are runs of the stages' own code, by the names of the stages. Each is made once.
var recordings sync.Map

// recording returns a copy of a run of a stage's own code.
func recording(t *testing.T, name string) *checklist.Run {
	t.Helper()
	once, _ := recordings.LoadOrStore(name, sync.OnceValues(func() (*checklist.Run, error) {
		if err := openClassroom(); err != nil {
			return nil, err
		}
		stage := stageOf(t, repository, name)
		c := code{stage: stage, directory: stage.Directory, programs: programs()}
		services, err := c.load(t.Context())
		if err != nil {
			return nil, err
		}
		return c.record(t.Context(), services, declaration(t, name), silent)
	}))
	r, err := once.(func() (*checklist.Run, error))()
	if err != nil {
		t.Fatal(err)
	}
	copied := *r
	copied.Exchanges, copied.Spans, copied.Records, copied.Points = slices.Clone(r.Exchanges), slices.Clone(r.Spans), slices.Clone(r.Records), slices.Clone(r.Points)
	copied.Services = slices.Clone(r.Services)
	return &copied
}

func isRoll(s *store.Span) bool { return s.Name == "roll die" }
func isServer(s *store.Span) bool {
	return s.Service == "roll" && s.Kind == "server" && s.Name == "GET /roll"
}
func hasFailed(s *store.Span) bool {
	return isRoll(s) && s.Attributes["dice.roll.outcome"] == "failed"
}

func ofMetric(name string) func(*store.Point) bool {
	return func(p *store.Point) bool { return p.Name == name }
}

func isRecord(message string) func(*store.Record) bool {
	return func(r *store.Record) bool { return r.Message == message }
}

// set changes attributes of a span, a point or a record. An empty value removes one.
func set(attributes *map[string]string, pairs ...string) {
	*attributes = maps.Clone(*attributes)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			delete(*attributes, pairs[i])
		} else {
			(*attributes)[pairs[i]] = pairs[i+1]
		}
	}
}

func each[T any](all []T, has func(*T) bool, change func(*T)) {
	for i := range all {
		if has(&all[i]) {
			change(&all[i])
		}
	}
}

func drop[T any](all *[]T, has func(*T) bool) {
	*all = slices.DeleteFunc(*all, func(one T) bool { return has(&one) })
}

func double[T any](all *[]T, has func(*T) bool) {
	for _, one := range slices.Clone(*all) {
		if has(&one) {
			*all = append(*all, one)
		}
	}
}

// pretence is what a run would have emitted if its code had a fault, and the verdict that it must get.
type pretence struct {
	stage         string
	change        func(r *checklist.Run)
	title, reason string
}

// TestPretences changes what a run has emitted, as faults in the code would, and wants the verdicts that lead to their fixes.
func TestPretences(t *testing.T) {
	t.Parallel()
	for name, p := range pretences {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if p.stage != "stage1-roll" {
				thorough(t)
			}
			r := recording(t, p.stage)
			p.change(r)
			got := checklist.Judge(declaration(t, p.stage), declared.Telemetry{}, r)
			wantMissing(t, got, p.title, p.reason)
			if l := got.Missing(); l != nil {
				wantPlace(t, p.stage, l)
			}
		})
	}
}

// TestUnanswered requires that requests without a response, and requests that take long on the way, are not charged to the service.
func TestUnanswered(t *testing.T) {
	t.Parallel()
	fromTraffic := func(x *recorder.Exchange) bool { return x.Client == "traffic" && x.Path == "/roll" }
	for name, test := range map[string]struct {
		change        func(r *checklist.Run)
		title, reason string
	}{
		"a few": {func(r *checklist.Run) { everyNth(20, r.Exchanges, fromTraffic, noResponse) }, "", ""},
		"refused": {func(r *checklist.Run) {
			everyNth(20, r.Exchanges, fromTraffic, func(x *recorder.Exchange) {
				noResponse(x)
				drop(&r.Spans, func(s *store.Span) bool { return s.TraceID == x.TraceID && s.Service == "roll" })
				drop(&r.Records, func(s *store.Record) bool { return s.TraceID == x.TraceID && s.Service == "roll" })
			})
		}, "", ""},
		"without a trace": {func(r *checklist.Run) {
			everyNth(20, r.Exchanges, fromTraffic, func(x *recorder.Exchange) { noResponse(x); x.TraceID, x.SpanID = "", "" })
		}, "", ""},
		"slow on the way": {func(r *checklist.Run) {
			each(r.Exchanges, fromTraffic, func(x *recorder.Exchange) { x.End = x.End.Add(time.Hour) })
		}, "", ""},
		"many": {func(r *checklist.Run) { everyNth(4, r.Exchanges, fromTraffic, noResponse) }, "roll: it answers /roll", "requests got no response: timeout. If this machine is busy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := recording(t, "stage1-roll")
			test.change(r)
			got := checklist.Judge(declaration(t, "stage1-roll"), declared.Telemetry{}, r)
			if test.title != "" {
				wantMissing(t, got, test.title, test.reason)
			} else if all := titles(got); len(all) > 0 {
				t.Errorf("missing: %q", all)
			}
		})
	}
}

func noResponse(x *recorder.Exchange) { x.Status, x.Err, x.Received = 0, "timeout", "" }

// everyNth changes every nth of those that have a property.
func everyNth[T any](n int, all []T, has func(*T) bool, change func(*T)) {
	i := 0
	each(all, has, func(one *T) {
		if i++; i%n == 0 {
			change(one)
		}
	})
}

// wantPlace requires that the hints about a missing item lead to code of its service, or to code that no service owns.
func wantPlace(t *testing.T, stage string, l *checklist.Line) {
	t.Helper()
	c := code{stage: stageOf(t, repository, stage)}
	found, err := c.find(&progress.Missing{Service: l.Service, Needles: slices.Concat(l.Verdict.Needles, l.Needles)})
	if err != nil {
		t.Fatal(err)
	}
	if parts := strings.Split(found.file, "/"); len(parts) == 3 && parts[0] != "shared" && parts[1] != "plain" && parts[1] != l.Service {
		t.Errorf("%s: the hint leads to %s", l.Service, found.file)
	}
}

const (
	rollSpan   = `roll: span "roll die" (internal), child of "GET /roll"`
	batchSpan  = rollSpan + ` or "GET /roll-async"`
	serverSpan = `roll: span "GET /roll" (server), child of the caller's span`
	account    = "roll: as many server spans as there were calls"
	correlated = "roll: log records carry the trace of their request"
	counter    = "roll: metric dice.rolls (sum)"
	waits      = "roll: metric dice.roll.wait (histogram)"
	durations  = "roll: metric http.server.request.duration (histogram)"
)

var pretences = map[string]pretence{
	// Spans.
	"a failed roll's span never ends": {"stage1-roll", func(r *checklist.Run) {
		drop(&r.Spans, hasFailed)
		each(r.Points, ofMetric("otel.sdk.span.live"), func(p *store.Point) { p.Value = 12 })
	}, rollSpan, "in requests that ended with the status 500. The service started 12 spans that it never ended: end each with defer span.End()"},
	"a failed roll has no span": {"stage1-roll", func(r *checklist.Run) { drop(&r.Spans, hasFailed) }, rollSpan, "Start one for each die, before anything can fail."},
	"a roll has two spans":      {"stage1-roll", func(r *checklist.Run) { double(&r.Spans, isRoll) }, rollSpan, "has 2 such spans"},
	"no span ends": {"stage1-roll", func(r *checklist.Run) {
		drop(&r.Spans, isRoll)
		each(r.Points, ofMetric("otel.sdk.span.live"), func(p *store.Point) { p.Value = 9 })
	}, rollSpan, "started 9 spans that it never ended"},
	"the span is after the wait": {"stage1-roll", func(r *checklist.Run) {
		each(r.Spans, isRoll, func(s *store.Span) { s.Start = s.End.Add(-time.Microsecond) })
	}, rollSpan, "Start the span before the wait"},
	"the span outlives its request": {"stage1-roll", func(r *checklist.Run) { each(r.Spans, isRoll, func(s *store.Span) { s.End = s.End.Add(time.Second) }) }, rollSpan, "ends after it"},
	"the value is another": {"stage1-roll", func(r *checklist.Run) {
		each(r.Spans, isRoll, func(s *store.Span) {
			if s.Attributes["die.value"] == "3" {
				set(&s.Attributes, "die.value", "4")
			}
		})
	}, rollSpan, "add up to 4, but the response was 3"},
	"the die is another": {"stage1-roll", func(r *checklist.Run) {
		each(r.Spans, isRoll, func(s *store.Span) { set(&s.Attributes, "die.identifier", "fair") })
	}, rollSpan, `is "fair", but the request was for the die "risky"`},
	"all rolls succeed": {"stage1-roll", func(r *checklist.Run) {
		each(r.Spans, hasFailed, func(s *store.Span) {
			set(&s.Attributes, "dice.roll.outcome", "canceled", "error.type", "")
			s.Failed = false
		})
	}, rollSpan, "no span has the dice.roll.outcome failed"},
	"failed is an error, rolled too": {"stage1-roll", func(r *checklist.Run) { each(r.Spans, isRoll, func(s *store.Span) { s.Failed = true }) }, rollSpan, "The span of a successful roll has an error status"},
	"the error's message is its type": {"stage1-roll", func(r *checklist.Run) {
		each(r.Spans, hasFailed, func(s *store.Span) { set(&s.Attributes, "error.type", "the die failed; roll again") })
	}, rollSpan, "Its value must be die_failed: a class of errors"},
	"two server spans": {"stage1-roll", func(r *checklist.Run) {
		for _, s := range slices.Clone(r.Spans) {
			if isServer(&s) {
				outer := s
				outer.ID, outer.Name = "outer"+s.ID, "server"
				r.Spans = append(r.Spans, outer)
				each(r.Spans, func(x *store.Span) bool { return x.ID == s.ID }, func(x *store.Span) { x.Parent = outer.ID })
			}
		}
	}, serverSpan, `more than one server span: "GET /roll" (server), "server" (server)`},
	"a server span twice":  {"stage1-roll", func(r *checklist.Run) { double(&r.Spans, isServer) }, serverSpan, "more than one server span"},
	"failed requests lost": {"stage1-roll", func(r *checklist.Run) { drop(&r.Spans, func(s *store.Span) bool { return isServer(s) && s.Failed }) }, serverSpan, "with the status 500. Spans are lost if"},
	"another status": {"stage1-roll", func(r *checklist.Run) {
		each(r.Spans, isServer, func(s *store.Span) {
			set(&s.Attributes, "http.response.status_code", "200", "error.type", "")
			s.Failed = false
		})
	}, serverSpan, "http.response.status_code of a span is 200, but the response was 400"},
	"several attributes lost": {"stage1-roll", func(r *checklist.Run) {
		each(r.Spans, isServer, func(s *store.Span) { set(&s.Attributes, "url.path", "", "client.address", "") })
	}, serverSpan, "The attributes client.address and url.path of the span are missing."},
	"the query is redacted": {"stage1-roll", func(r *checklist.Run) {
		each(r.Spans, func(s *store.Span) bool { return isServer(s) && s.Attributes["url.query"] != "" }, func(s *store.Span) { set(&s.Attributes, "url.query", "REDACTED=REDACTED") })
	}, serverSpan, `httptelemetry.Server("die")`},
	"the query is whole": {"stage1-roll", func(r *checklist.Run) {
		each(r.Spans, isServer, func(s *store.Span) {
			if s.Attributes["url.query"] != "" {
				set(&s.Attributes, "url.query", s.Attributes["url.query"]+"&token=secret-4711")
			}
		})
	}, serverSpan, "could be a password"},
	"an unknown path has no span": {"stage1-roll", func(r *checklist.Run) {
		drop(&r.Spans, func(s *store.Span) bool { return s.Service == "roll" && s.Name == "GET" })
	}, account, "Requests to unknown paths need one too"},
	"an unknown path as a name": {"stage1-roll", func(r *checklist.Run) {
		each(r.Spans, func(s *store.Span) bool { return s.Service == "roll" && s.Name == "GET" }, func(s *store.Span) { s.Name = "GET /nowhere" })
	}, account, "because callers choose paths"},
	"an unknown path as an error": {"stage1-roll", func(r *checklist.Run) {
		each(r.Spans, func(s *store.Span) bool { return s.Service == "roll" && s.Name == "GET" }, func(s *store.Span) { s.Failed = true })
	}, account, "A failed span lacks the attribute error.type"},
	"a failure without its error.type": {"stage1-roll", func(r *checklist.Run) {
		each(r.Points, func(p *store.Point) bool { return p.Service == "roll" && p.Name == "http.server.request.duration" }, func(p *store.Point) { set(&p.Attributes, "error.type", "") })
	}, durations, `A data point with the status 500 has the error.type ""`},
	"health checks have spans": {"stage1-roll", func(r *checklist.Run) {
		r.Spans = append(r.Spans, store.Span{ID: "1", TraceID: "1", Service: "roll", Kind: "server", Name: "GET /healthz"})
	}, account, "none for the health check"},
	"a panic's span has no status": {"stage1-roll", func(r *checklist.Run) {
		each(r.Spans, func(s *store.Span) bool { return s.Service == "roll" && s.Name == "GET" && s.Failed }, func(s *store.Span) { set(&s.Attributes, "http.response.status_code", ""); s.Failed = false })
	}, account, "The first middleware is the outermost"},

	"a tracer of another name": {"stage1-roll", func(r *checklist.Run) { each(r.Spans, isRoll, func(s *store.Span) { s.Scope = "mine" }) }, rollSpan, `The scope of the span is "mine". It must be "example.com/dice/roll"`},
	"names of another version": {"stage1-roll", func(r *checklist.Run) {
		each(r.Spans, isRoll, func(s *store.Span) { s.Origin.SchemaURL = "https://opentelemetry.io/schemas/1.4.0" })
	}, rollSpan, "has the schema URL https://opentelemetry.io/schemas/1.4.0"},

	// Log records.
	"records of failures are lost": {"stage1-roll", func(r *checklist.Run) { drop(&r.Records, isRecord("roll failed")) }, `roll: log record "roll failed" (ERROR)`, "requests should have led to one"},
	"a record is written twice":    {"stage1-roll", func(r *checklist.Run) { double(&r.Records, isRecord("rolled")) }, `roll: log record "rolled" (INFO)`, "Write one for each"},
	"a bridge of another name": {"stage1-roll", func(r *checklist.Run) {
		each(r.Records, isRecord("rolled"), func(x *store.Record) { x.Scope = "roll" })
	}, `roll: log record "rolled" (INFO)`, `It must be "example.com/dice/roll"`},
	"a record has another value": {"stage1-roll", func(r *checklist.Run) {
		each(r.Records, isRecord("rolled"), func(x *store.Record) { set(&x.Attributes, "die.value", "6") })
	}, `roll: log record "rolled" (INFO)`, "There are more records with"},
	"no record at all": {"stage1-roll", func(r *checklist.Run) { drop(&r.Records, func(x *store.Record) bool { return x.Service == "roll" }) }, `roll: log record "listening" (INFO)`, "remove that call"},
	"records of another trace": {"stage1-roll", func(r *checklist.Run) {
		each(r.Records, isRecord("rolled"), func(x *store.Record) { x.TraceID = strings.Repeat("1", 32) })
	}, correlated, "belong to a span that has not arrived"},
	"a refused roll is not logged": {"stage1-roll", func(r *checklist.Run) { drop(&r.Records, isRecord("roll refused")) }, correlated, `no record "roll refused"`},
	"a refusal without its reason": {"stage1-roll", func(r *checklist.Run) {
		each(r.Records, isRecord("roll refused"), func(x *store.Record) { set(&x.Attributes, "exception.message", "") })
	}, correlated, `The attribute exception.message of the record "roll refused" is missing`},
	"a refusal logged twice": {"stage1-roll", func(r *checklist.Run) { double(&r.Records, isRecord("roll refused")) }, correlated, `has 2 records "roll refused"`},
	"a start logged twice":   {"stage1-roll", func(r *checklist.Run) { double(&r.Records, isRecord("listening")) }, `roll: log record "listening" (INFO)`, "started once"},
	"a stop that is an error": {"stage1-roll", func(r *checklist.Run) {
		each(r.Records, isRecord("stopping"), func(x *store.Record) { x.Level = "ERROR" })
	}, correlated, "must be INFO"},
	"a panic is not logged": {"stage1-roll", func(r *checklist.Run) { drop(&r.Records, isRecord("handler panicked")) }, correlated, "whose handler the checker made panic"},

	// Metrics.
	"the value is added": {"stage1-roll", func(r *checklist.Run) {
		each(r.Points, ofMetric("dice.rolls"), func(p *store.Point) {
			if v, err := strconv.Atoi(p.Attributes["die.value"]); err == nil {
				p.Value *= float64(v)
			}
		})
	}, counter, "Add 1 for each roll"},
	"failures are not counted": {"stage1-roll", func(r *checklist.Run) {
		drop(&r.Points, func(p *store.Point) bool { return p.Attributes["dice.roll.outcome"] == "failed" })
	}, counter, "failed: the metric has 0, but the run had"},
	"rolls are counted twice": {"stage1-roll", func(r *checklist.Run) { each(r.Points, ofMetric("dice.rolls"), func(p *store.Point) { p.Value *= 2 }) }, counter, "Add 1 for each roll"},
	"milliseconds": {"stage1-roll", func(r *checklist.Run) {
		each(r.Points, ofMetric("dice.roll.wait"), func(p *store.Point) { p.Value *= 1000 })
	}, waits, "record seconds"},
	"minutes": {"stage1-roll", func(r *checklist.Run) {
		each(r.Points, ofMetric("dice.roll.wait"), func(p *store.Point) { p.Value /= 60 })
	}, waits, "record seconds"},
	"waits are recorded twice": {"stage1-roll", func(r *checklist.Run) {
		each(r.Points, ofMetric("dice.roll.wait"), func(p *store.Point) { p.Count *= 2 })
	}, waits, "Record each wait once"},
	"milliseconds of requests": {"stage1-roll", func(r *checklist.Run) {
		each(r.Points, func(p *store.Point) bool { return p.Service == "roll" && p.Name == "http.server.request.duration" }, func(p *store.Point) { p.Value *= 1000 })
	}, durations, "record seconds"},
	"requests that are not measured": {"stage1-roll", func(r *checklist.Run) {
		drop(&r.Points, func(p *store.Point) bool {
			return p.Name == "http.server.request.duration" && p.Attributes["http.response.status_code"] == "404"
		})
	}, durations, "GET 404: the metric has 0, but the run had "},
	"a panic is not measured": {"stage1-roll", func(r *checklist.Run) {
		drop(&r.Points, func(p *store.Point) bool {
			return p.Name == "http.server.request.duration" && p.Attributes["http.response.status_code"] == "500" && p.Attributes["http.route"] == ""
		})
	}, durations, "turns a panic into a response"},
	"a metric with Prometheus's name": {"stage1-roll", func(r *checklist.Run) {
		each(r.Points, ofMetric("dice.rolls"), func(p *store.Point) { p.Name = "dice_rolls_total" })
	}, counter, `There is "dice_rolls_total"`},
	"a counter that is a gauge": {"stage1-roll", func(r *checklist.Run) {
		each(r.Points, ofMetric("dice.rolls"), func(p *store.Point) { p.Type = "gauge" })
	}, counter, "The instrument is a Gauge. It must be a Counter."},

	"a meter of another name": {"stage1-roll", func(r *checklist.Run) {
		each(r.Points, ofMetric("dice.rolls"), func(p *store.Point) { p.Scope = "" })
	}, counter, `The scope of the metric is "". It must be "example.com/dice/roll"`},

	// Names and endpoints.
	"another service name": {"stage1-roll", func(r *checklist.Run) {
		each(r.Spans, func(s *store.Span) bool { return s.Service == "roll" }, func(s *store.Span) { s.Service = "dice-roller" })
		drop(&r.Points, func(p *store.Point) bool { return p.Service == "roll" })
		drop(&r.Records, func(x *store.Record) bool { return x.Service == "roll" })
	}, `roll: telemetry arrives, from service "roll"`, `from a service named "dice-roller". The name must be "roll"`},
	"exporters to the terminal": {"stage1-roll", silence(`{"Name":"GET /roll","SpanContext":{"TraceID":"1"}}`), `roll: telemetry arrives, from service "roll"`, "writes its telemetry to the terminal"},
	"an endpoint in the code":   {"stage1-roll", silence(`{"level":"WARN","msg":"telemetry error","error":"rpc error: dial tcp 127.0.0.1:4317: connect: connection refused"}`), `roll: telemetry arrives, from service "roll"`, "sends its telemetry to 127.0.0.1:4317"},

	// Later stages.
	"batches one after the other": {"stage4-async", func(r *checklist.Run) {
		last := make(map[string]time.Time)
		each(r.Spans, isRoll, func(s *store.Span) {
			if end, ok := last[s.Parent]; ok {
				s.Start, s.End = end, end.Add(s.Duration())
			}
			last[s.Parent] = s.End
		})
		each(r.Spans, func(s *store.Span) bool { return s.Service == "roll" && s.Kind == "server" }, func(s *store.Span) { s.End = s.End.Add(time.Minute) })
	}, batchSpan, "one after the other"},
	"rolls in flight for ever": {"stage4-async", func(r *checklist.Run) {
		each(r.Points, ofMetric("dice.roll.active"), func(p *store.Point) { p.Value = 7 })
	}, "roll: metric dice.roll.active (up-down sum)", "-1 when it ends"},
	"rolls never in flight": {"stage4-async", func(r *checklist.Run) {
		each(r.Points, ofMetric("dice.roll.active"), func(p *store.Point) { p.Peak = 0 })
	}, "roll: metric dice.roll.active (up-down sum)", "never above 0"},
	"sizes of 1": {"stage4-async", func(r *checklist.Run) {
		each(r.Points, ofMetric("dice.batch.size"), func(p *store.Point) { p.Value = float64(p.Count) })
	}, "roll: metric dice.batch.size (histogram)", "Record the number of dice in the request"},
	"failed batches not recorded": {"stage4-async", func(r *checklist.Run) {
		drop(&r.Points, func(p *store.Point) bool { return p.Attributes["dice.batch.outcome"] == "failed" })
	}, "roll: metric dice.batch.size (histogram)", "Record each batch once"},
	"a batch of another total": {"stage4-async", func(r *checklist.Run) {
		each(r.Records, isRecord("batch rolled"), func(x *store.Record) { set(&x.Attributes, "dice.batch.total", "1") })
	}, `roll: log record "batch rolled" (INFO)`, "There are more records with"},
	"calls without a trace": {"stage2-frontend", func(r *checklist.Run) {
		each(r.Exchanges, func(x *recorder.Exchange) bool { return x.Client == "frontend" }, func(x *recorder.Exchange) { x.SpanID, x.TraceID = "", "" })
	}, `frontend: span "GET /roll" (client), child of "POST /"`, "propagation is lost"},
	"two transports": {"stage2-frontend", func(r *checklist.Run) {
		double(&r.Spans, func(s *store.Span) bool { return s.Service == "frontend" && s.Kind == "client" })
	}, `frontend: span "GET /roll" (client), child of "POST /"`, "Wrap the transport once"},
	"calls in the trace of the page": {"stage2-frontend", func(r *checklist.Run) {
		drop(&r.Spans, func(s *store.Span) bool { return s.Service == "frontend" && s.Kind == "client" && s.Failed })
	}, `frontend: span "GET /roll" (client), child of "POST /"`, "names another one"},
	"a query twice": {"stage5-database", func(r *checklist.Run) {
		double(&r.Spans, func(s *store.Span) bool { return s.Name == "SELECT dice faces" })
	}, `die: span "SELECT dice faces" (client), child of "GET /dice"`, "send each once"},
	"queries without a route": {"stage5-database", func(r *checklist.Run) {
		each(r.Points, ofMetric("db.client.operation.duration"), func(p *store.Point) { set(&p.Attributes, "http.route", "") })
	}, "die: metric db.client.operation.duration (histogram)", "needs the attribute http.route"},
	"a logger of another name": {"stage6-usage", func(r *checklist.Run) {
		each(r.Records, isRecord("ran"), func(x *store.Record) { x.Scope = "example.com/dice/usage" })
	}, `frontend: event "dice.run" (INFO)`, `It must be "example.com/dice/frontend"`},
	"the user in a span": {"stage6-usage", func(r *checklist.Run) {
		each(r.Spans, func(s *store.Span) bool { return s.Name == "POST /sign-in" && s.Service == "frontend" }, func(s *store.Span) { set(&s.Attributes, "url.path", "/sign-in/Ada") })
	}, `frontend: span "POST /sign-in" (server), child of the caller's span`, "url.path"},
	"the user in a record": {"stage6-usage", func(r *checklist.Run) {
		each(r.Records, isRecord("sign-in"), func(x *store.Record) { set(&x.Attributes, "text", "hello Ada!") })
	}, "frontend: usage goes to its own tenant, and users are named nowhere else", `log record "sign-in" contains a user's name`},
	"another user": {"stage6-usage", func(r *checklist.Run) {
		each(r.Records, isRecord("ran"), func(x *store.Record) { set(&x.Attributes, "user.name", "Ada") })
	}, `frontend: event "dice.run" (INFO)`, "There are more records with"},
	"a run without its die": {"stage6-usage", func(r *checklist.Run) {
		each(r.Records, isRecord("ran"), func(x *store.Record) { set(&x.Attributes, "die.identifier", "") })
	}, `frontend: event "dice.run" (INFO)`, "die.identifier is never set"},
}

// silence removes all telemetry of the roll service, whose output is the text.
func silence(output string) func(*checklist.Run) {
	return func(r *checklist.Run) {
		drop(&r.Spans, func(s *store.Span) bool { return s.Service == "roll" })
		drop(&r.Points, func(p *store.Point) bool { return p.Service == "roll" })
		drop(&r.Records, func(x *store.Record) bool { return x.Service == "roll" })
		each(r.Services, func(s *checklist.Service) bool { return s.Name == "roll" }, func(s *checklist.Service) { s.Output = output })
	}
}
