package main

import (
	"encoding/json"
	"fmt"
	"io"

	"example.com/dice/observability/internal/doctor"
	"example.com/dice/observability/internal/registry"
	"example.com/dice/observability/internal/score"
)

// The form of -json. Fields may be added; a change of what is there changes the version.
type (
	verdictJSON struct {
		Version       int           `json:"version"`
		Failed        bool          `json:"failed"`        // a finding reaches -fail-on
		Specification string        `json:"specification"` // of the score
		Conventions   string        `json:"conventions"`   // version of the semantic conventions
		Services      []serviceJSON `json:"services"`
		Findings      []findingJSON `json:"findings"`
	}
	serviceJSON struct {
		Name         string    `json:"name"`
		Spans        int       `json:"spans"`
		MetricPoints int       `json:"metric_points"`
		LogRecords   int       `json:"log_records"`
		Bytes        int       `json:"bytes"`
		Score        scoreJSON `json:"score"`
	}
	scoreJSON struct {
		Value     float64           `json:"value"`
		Category  string            `json:"category"`
		Passed    []string          `json:"passed"`
		Failed    []failureJSON     `json:"failed"`
		NotJudged map[string]string `json:"not_judged"` // the score may be incomplete without these
	}
	failureJSON struct {
		Rule     string   `json:"rule"`
		Impact   string   `json:"impact"`
		Title    string   `json:"title"`
		Why      string   `json:"why"`
		Count    int      `json:"count"`
		Examples []string `json:"examples"`
		Fix      string   `json:"fix"`
		Learn    string   `json:"learn"`
	}
	findingJSON struct {
		Rule     string         `json:"rule"`
		Severity string         `json:"severity"`
		Service  string         `json:"service"`
		Title    string         `json:"title"`
		Why      string         `json:"why"`
		Evidence []evidenceJSON `json:"evidence"`
		More     int            `json:"more"` // pieces of evidence that are not listed
		Fix      string         `json:"fix"`
		Learn    string         `json:"learn"`
	}
	evidenceJSON struct {
		What   string `json:"what"`
		Name   string `json:"name"`
		Detail string `json:"detail,omitempty"`
		Trace  string `json:"trace_id,omitempty"`
		Count  int    `json:"count"`
	}
)

func writeJSON(out io.Writer, r doctor.Report, failOn doctor.Severity) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(toJSON(r, failOn)); err != nil {
		return fmt.Errorf("writing the verdict: %w", err)
	}
	return nil
}

func toJSON(r doctor.Report, failOn doctor.Severity) verdictJSON {
	verdict := verdictJSON{
		Version: 1, Failed: fails(r, failOn), Conventions: registry.Version,
		Specification: "https://github.com/instrumentation-score/spec/tree/" + score.Commit,
		Services:      []serviceJSON{}, Findings: []findingJSON{},
	}
	for _, s := range r.Services {
		of := scoreJSON{s.Score.Value, s.Score.Category(), s.Score.Passed, []failureJSON{}, s.Score.NotJudged}
		for _, failed := range s.Score.Failed {
			rule := doctor.ScoreRule(failed.Rule)
			of.Failed = append(of.Failed, failureJSON{failed.Rule, rule.ImpactOf(), rule.Title, rule.Why, failed.Count, failed.Examples, rule.Fix, rule.Learn})
		}
		verdict.Services = append(verdict.Services, serviceJSON{s.Name, s.Spans, s.Points, s.Records, s.Bytes, of})
	}
	for _, f := range r.Findings {
		finding := findingJSON{f.Rule.ID, string(f.Rule.Severity), f.Service, f.Rule.Title, f.Rule.Why, nil, f.More, f.Rule.Fix, f.Rule.Learn}
		for _, e := range f.Evidence {
			finding.Evidence = append(finding.Evidence, evidenceJSON(e))
		}
		verdict.Findings = append(verdict.Findings, finding)
	}
	return verdict
}
