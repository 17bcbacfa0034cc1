package doctor

import (
	"strings"
	"testing"
	"unicode"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"example.com/dice/observability/internal/sample"
)

// FuzzJudge judges whatever is valid OTLP, twice, and wants a verdict that can be printed.
func FuzzJudge(f *testing.F) {
	for _, test := range ruleTests {
		telemetry := sample.Parse(test.finds)
		for _, request := range []interface{ MarshalProto() ([]byte, error) }{
			ptraceotlp.NewExportRequestFromTraces(telemetry.Traces), pmetricotlp.NewExportRequestFromMetrics(telemetry.Metrics),
			plogotlp.NewExportRequestFromLogs(telemetry.Logs),
		} {
			if body, err := request.MarshalProto(); err != nil {
				f.Fatal(err)
			} else if len(body) > 0 && len(body) < 4000 {
				f.Add(body)
			}
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		j := New(Command)
		for range 2 {
			traces, metrics, logs := ptraceotlp.NewExportRequest(), pmetricotlp.NewExportRequest(), plogotlp.NewExportRequest()
			if traces.UnmarshalProto(body) == nil {
				j.Traces(traces.Traces(), len(body))
			}
			if metrics.UnmarshalProto(body) == nil {
				j.Metrics(metrics.Metrics(), len(body))
			}
			if logs.UnmarshalProto(body) == nil {
				j.Logs(logs.Logs(), len(body))
			}
			for _, trace := range j.Update(10).Traces {
				_ = trace.String()
			}
		}
		r := j.Finish()
		for _, finding := range r.Findings {
			for _, e := range finding.Evidence {
				if text := finding.Service + e.Name + e.Detail; strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) || e.Count < 1 {
					t.Errorf("%s: %q, %d times", finding.Rule.ID, text, e.Count)
				}
			}
		}
		for _, s := range r.Services {
			if s.Score.Value < 0 || s.Score.Value > 100 || s.Spans+s.Points+s.Records == 0 {
				t.Errorf("%+v", s)
			}
		}
	})
}
