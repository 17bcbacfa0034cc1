package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/dice/observability/internal/lineage"
)

const (
	logRecord   = "log record"
	manyBodies  = 20
	bodyMapDeep = 4
)

// record judges a log record.
func (j *Judge) record(p *process, in scope, record plog.LogRecord, now time.Time) {
	s := p.service
	j.score.Record(s.name, record)
	body := record.Body().AsString
	message := ""
	if record.Body().Type() == pcommon.ValueTypeStr {
		message = body()
	}
	for key, value := range record.Attributes().All() {
		j.attribute(s, in, logRecord, key, value, record.TraceID())
	}
	j.bodyContent(s, record.Body(), record.TraceID(), bodyMapDeep)
	if record.SeverityNumber() == plog.SeverityNumberUnspecified {
		j.find("log-no-severity", s.name, Evidence{What: logRecord, Name: template(message)})
	}
	if record.Timestamp() == 0 && record.ObservedTimestamp() == 0 {
		j.find("log-no-timestamp", s.name, Evidence{What: logRecord, Name: template(message)})
	}
	if record.DroppedAttributesCount() > 0 {
		j.find("span-dropped", s.name, Evidence{What: logRecord, Name: template(message), Detail: fmt.Sprintf("%d attributes", record.DroppedAttributesCount())})
	}
	j.variable(s, message)
	if record.TraceID().IsEmpty() {
		if at := int64(record.Timestamp()); at != 0 && record.EventName() == "" {
			p.add(group{logRecord, template(message)}, interval{at, at})
		}
		return
	}
	if record.Flags().IsSampled() {
		j.refer(lineage.Record, s, template(message), true, record.TraceID(), record.SpanID(), now)
	}
	j.window.addRecord(recordOf{record, s}, now)
}

// bodyContent looks for secrets and email addresses in a body, to a depth.
func (j *Judge) bodyContent(s *service, body pcommon.Value, trace pcommon.TraceID, depth int) {
	switch body.Type() {
	case pcommon.ValueTypeStr:
		j.inspect(s, "log record body", "", body.Str(), trace)
	case pcommon.ValueTypeMap:
		for key, value := range body.Map().All() {
			if value.Type() == pcommon.ValueTypeStr {
				j.inspect(s, "log record body", key, value.Str(), trace)
			} else if depth > 0 {
				j.bodyContent(s, value, trace, depth-1)
			}
		}
	case pcommon.ValueTypeSlice:
		for i, value := range body.Slice().All() {
			if depth > 0 && i < mostElements {
				j.bodyContent(s, value, trace, depth-1)
			}
		}
	default: // numbers have no secrets
	}
}

// variable looks for texts of one shape. A text that is JSON is a record that was not parsed, and no sentence.
func (j *Judge) variable(s *service, message string) {
	if message == "" || strings.HasPrefix(message, "{") {
		return
	}
	count := s.bodies.add(message)
	if count == nil {
		return
	}
	if n := len(count.distinct); n >= manyBodies && (n >= mostDistinct || 2*n >= count.total) {
		j.find("log-variable-body", s.name, Evidence{What: logRecord, Name: template(message), Detail: fmt.Sprintf("such as %q", count.example)})
	}
}

// template returns a text without its variable parts.
func template(message string) string {
	if message == "" {
		return "(no text)"
	}
	if len(message) > longText {
		message = strings.ToValidUTF8(message[:longText], "")
	}
	if of, form := shape(message); form != constant {
		return of
	}
	return message
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
