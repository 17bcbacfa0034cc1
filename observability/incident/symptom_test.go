package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/internal/freeport"
	"example.com/dice/observability/internal/report"
	"example.com/dice/observability/internal/stages"
	"example.com/dice/observability/internal/store"
)

// seen is the telemetry that a stage emitted.
type seen struct {
	spans   []store.Span
	points  []store.Point
	records []store.Record
}

// symptoms maps the stage and name of each fault to a symptom that only a stage with that fault shows.
var symptoms = map[string]func(seen) bool{
	"stage1-roll empty-panel": func(s seen) bool {
		return s.count("roll", "GET /roll", status("500")) > 0 && s.count("roll", "roll die", failedSpan) == 0
	},
	"stage1-roll default-buckets": func(s seen) bool {
		return estimate(merge(s.metric("dice.roll.wait")), 0.95) > 2 // s, twice as long as the longest wait
	},
	"stage1-roll trace-in-metric": func(s seen) bool { return len(overflown(s.metric("dice.rolls"))) > 0 },

	"stage2-frontend lost-propagator": func(s seen) bool { return s.count("roll", "GET /roll", rootSpan) > 0 },
	"stage2-frontend hidden-errors": func(s seen) bool {
		return s.count("frontend", "GET /roll", status("500")) > s.count("frontend", "POST /", status("500"))
	},
	"stage2-frontend last-second": func(s seen) bool {
		return !s.logged("roll", "stopping", "") && s.count("roll", "GET /roll") < s.count("frontend", "GET /roll")
	},

	"stage3-die-service one-slow-die": func(s seen) bool {
		return s.median("die", "GET /dice", die("risky")) > 500*time.Millisecond && s.median("die", "GET /dice", die("fair")) < 100*time.Millisecond
	},
	"stage3-die-service half-a-trace": func(s seen) bool { return s.count("die", "GET /dice", rootSpan) > 0 },
	"stage3-die-service retry-storm": func(s seen) bool {
		return s.count("roll", "GET /dice") > 2*s.count("roll", "GET /roll")
	},

	"stage4-async lost-context": func(s seen) bool { return s.count("roll", "roll die", rootSpan) > 0 },
	"stage4-async lock":         func(s seen) bool { return s.median("roll", "roll die") > 1500*time.Millisecond },
	"stage4-async full-queue": func(s seen) bool {
		for _, p := range s.metric("otel.sdk.processor.span.processed") {
			if p.Service == "roll" && p.Attributes["error.type"] == "queue_full" && p.Value > 0 {
				return true
			}
		}
		return false
	},

	"stage5-database n-plus-one": func(s seen) bool {
		return s.count("die", "SELECT dice") > 2*s.count("die", "GET /dice", die(""))
	},
	"stage5-database slow-query": func(s seen) bool { return s.median("die", "SELECT dice") > 5*time.Millisecond },
	"stage5-database leaked-connection": func(s seen) bool {
		return s.count("die", "GET /dice", status("503")) > 0 && amount(s.metric("dice.pool.waits")) != "0" &&
			amount(inState(s.metric("db.client.connection.count"), "idle")) == "0"
	},

	"stage6-usage wrong-route": func(s seen) bool { return s.logged("frontend", "ran", "") && !s.sentTo("usage") },
	"stage6-usage short-session": func(s seen) bool {
		return s.count("frontend", "POST /sign-in") > 2*s.count("frontend", "POST /sign-out")
	},
	"stage6-usage name-in-log": func(s seen) bool { return s.logged("frontend", "sign-in", "user.name") },
}

// rootSpan reports whether a span has no parent.
func rootSpan(span store.Span) bool { return span.Parent == "" }

func status(code string) func(store.Span) bool {
	return func(span store.Span) bool { return span.Attributes["http.response.status_code"] == code }
}

func failedSpan(span store.Span) bool { return span.Failed }

// inState returns the points of connections in one state: used or idle.
func inState(points []store.Point, state string) []store.Point {
	return slices.DeleteFunc(slices.Clone(points), func(p store.Point) bool { return p.Attributes["db.client.connection.state"] != state })
}

func die(identifier string) func(store.Span) bool {
	return func(span store.Span) bool { return dieOf(span) == identifier }
}

// find returns the spans of a service with this name that meet all conditions.
func (s seen) find(service, name string, conditions ...func(store.Span) bool) []store.Span {
	var found []store.Span
next:
	for _, span := range s.spans {
		if span.Service != service || span.Name != name {
			continue
		}
		for _, condition := range conditions {
			if !condition(span) {
				continue next
			}
		}
		found = append(found, span)
	}
	return found
}

func (s seen) count(service, name string, conditions ...func(store.Span) bool) int {
	return len(s.find(service, name, conditions...))
}

func (s seen) median(service, name string, conditions ...func(store.Span) bool) time.Duration {
	found := s.find(service, name, conditions...)
	if len(found) == 0 {
		return 0
	}
	return report.Quantile(durations(found), 0.5)
}

func (s seen) metric(name string) []store.Point {
	var found []store.Point
	for _, p := range s.points {
		if p.Name == name {
			found = append(found, p)
		}
	}
	return found
}

// logged reports whether a service wrote a record with this message, and with this attribute unless it is empty.
func (s seen) logged(service, message, attribute string) bool {
	for _, r := range s.records {
		if r.Service == service && r.Message == message && (attribute == "" || r.Attributes[attribute] != "") {
			return true
		}
	}
	return false
}

func (s seen) sentTo(tenant string) bool {
	for _, r := range s.records {
		if r.Tenant == tenant {
			return true
		}
	}
	return false
}

// TestSymptoms plays each fault, and runs each stage without a fault. A symptom must show with its fault, and not without.
func TestSymptoms(t *testing.T) {
	if os.Getenv("THOROUGH") == "" {
		t.Skip("make check runs this: it runs each stage several times")
	}
	stages, err := stages.Names(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, stage := range stages {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			s, err := record(t.Context(), root, fault{Stage: stage}, freeport.Variables(), func(string) {})
			if err != nil {
				t.Fatal(err)
			}
			for name, shows := range symptoms {
				if strings.HasPrefix(name, stage+" ") && shows(look(s)) {
					t.Errorf("the symptom of %s shows without the fault\n%s", name, describe(s))
				}
			}
		})
	}
	everyFault(t, func(t *testing.T, f fault) {
		t.Parallel()
		shows := symptoms[f.Stage+" "+f.Name]
		if shows == nil {
			t.Fatal("no symptom")
		}
		var recorded *store.Store
		recorder := func(ctx context.Context, root string, f fault, _ []string, progress func(string)) (_ *store.Store, err error) {
			recorded, err = record(ctx, root, f, freeport.Variables(), progress)
			return recorded, err
		}
		var out strings.Builder
		o := options{root: home(t), stage: f.Stage, name: f.Name, seed: 1, in: strings.NewReader(rightAnswers(f, 1)), out: &out}
		if err := play(t.Context(), o, recorder); err != nil || solvedIn(t, o.root, f.Stage) == nil {
			t.Fatalf("error %v\n%s", err, &out)
		}
		if !shows(look(recorded)) {
			t.Errorf("the symptom does not show\n%s", &out)
		}
		checkWidth(t, out.String())
		if directory := os.Getenv("REPORTS"); directory != "" { // to read the reports as a learner sees them
			if err := os.WriteFile(directory+"/"+f.Stage+"-"+f.Name+".txt", []byte(out.String()), 0o600); err != nil {
				t.Error(err)
			}
		}
	})
}

func look(s *store.Store) seen { return seen{s.Spans(), s.Points(), s.Records()} }
