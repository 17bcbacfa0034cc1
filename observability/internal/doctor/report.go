package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"example.com/dice/observability/internal/lineage"
	"example.com/dice/observability/internal/report"
	"example.com/dice/observability/internal/score"
)

const (
	fewSpans      = 10               // of a service, from which on other signals are missed
	fewRequests   = 20               // from which on metrics of requests are missed
	underWay      = 10 * time.Second // that a parent may take to arrive while services run
	metricPeriod  = 70 * time.Second // metrics are exported each minute by default
	fewTwice      = 10
	comparePeriod = 3 * time.Second // comparing takes longer than judging
)

// Report is the verdict.
type Report struct {
	Services []Service
	Findings []Finding // the worst first
	Refused  int       // requests, or lines of a file
}

// Service is what arrived from a service, and its score.
type Service struct {
	Name                          string
	Spans, Points, Records, Bytes int
	Score                         score.Result
}

// Worst returns the worst severity among the findings, or "".
func (r Report) Worst() Severity {
	for _, severity := range Severities {
		if slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Rule.Severity == severity }) {
			return severity
		}
	}
	return ""
}

// News is what is new since the last update.
type News struct {
	Traces   []report.Trace // that are complete
	Left     int            // traces that are not among them, because there are too many
	Findings []Finding
}

// Update judges the traces that are complete, and returns at most as many of them.
func (j *Judge) Update(most int) News {
	j.mu.Lock()
	defer j.mu.Unlock()
	complete := j.window.settle(time.Now().Add(-settled), j.finish)
	if time.Since(j.compared) > comparePeriod {
		j.lostContexts()
		j.splitTraces()
		j.compared = time.Now()
	}
	traces, left := j.drawn(complete, most)
	return News{traces, left, j.newFindings()}
}

// newFindings returns what was found since the last call.
func (j *Judge) newFindings() []Finding {
	var all []Finding
	for _, found := range j.fresh {
		all = append(all, found.clone())
	}
	j.fresh = nil
	return all
}

func (f *Finding) clone() Finding {
	c := *f
	c.Evidence = slices.Clone(f.Evidence)
	return c
}

// Finish judges everything that has arrived. Nothing may arrive after it.
func (j *Judge) Finish() Report {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.window.settle(time.Now().Add(time.Hour), j.finish)
	j.lostContexts()
	j.splitTraces()
	before := time.Now().Add(time.Hour)
	if j.source == Services {
		before = time.Now().Add(-underWay)
	}
	report := Report{Refused: j.refused}
	for _, name := range sortedKeys(j.services) {
		s := j.services[name]
		if s.spans+s.points+s.records == 0 {
			continue // resources that came with nothing
		}
		j.atTheEnd(s)
		report.Services = append(report.Services, Service{s.name, s.spans, s.points, s.records, s.bytes, j.score.Of(s.name, before)})
	}
	j.lost()
	j.unflushed()
	if len(report.Services) == 0 {
		j.find("nothing-arrived", "", Evidence{What: "telemetry", Name: "none", Detail: j.where()})
	}
	for _, found := range j.findings {
		report.Findings = append(report.Findings, found.clone())
	}
	slices.SortFunc(report.Findings, func(a, b Finding) int {
		rank := func(f Finding) int { return slices.Index(Severities, f.Rule.Severity) }
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a.Service, b.Service), strings.Compare(a.Rule.ID, b.Rule.ID))
	})
	return report
}

// where says where nothing arrived.
func (j *Judge) where() string {
	if j.source == File {
		return "in the file"
	}
	return fmt.Sprintf("within %.1f s", time.Since(j.began).Seconds())
}

// atTheEnd judges what is sure only at the end.
func (j *Judge) atTheEnd(s *service) {
	if s.twice >= fewTwice && 3*s.twice >= s.spans {
		j.findOnce("span-twice", s, Evidence{What: "service", Name: s.name, Detail: fmt.Sprintf("%d of %d spans", s.twice, s.spans)})
	}
	if s.httpSpans >= fewRequests && s.ownPoints && !s.httpPoints {
		j.findOnce("http-metrics-missing", s, Evidence{What: "service", Name: s.name, Detail: fmt.Sprintf("%d server spans", s.httpSpans)})
	}
	if j.source == File || s.spans < fewSpans {
		return
	}
	if !s.ownPoints && (j.source == Command || time.Since(j.began) > metricPeriod) {
		j.findOnce("signal-missing", s, Evidence{What: "signal", Name: "metrics"})
	}
	if s.records == 0 {
		j.findOnce("signal-missing", s, Evidence{What: "signal", Name: "log records"})
	}
}

// lost notes spans that a program which has ended referred to and did not send.
func (j *Judge) lost() {
	if j.source != Command {
		return
	}
	remote := make(map[pcommon.SpanID]bool) // spans of callers that send nothing here
	for reference := range j.spans.Missing() {
		if reference.Kind == lineage.Child && !reference.Local {
			remote[reference.Span] = true
		}
	}
	for reference := range j.spans.Missing() {
		if reference.Local && !remote[reference.Span] {
			j.find("spans-lost", reference.Service, Evidence{
				What: string(reference.Kind), Name: reference.Name, Detail: "refers to span " + reference.Span.String(), Trace: reference.Trace.String(),
			})
		}
	}
}
