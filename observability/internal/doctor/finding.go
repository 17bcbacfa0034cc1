package doctor

import (
	"slices"
	"strings"
	"unicode"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

const (
	mostEvidence = 10    // of a finding
	mostFindings = 10000 // of all services
	longText     = 160   // bytes of a name or a detail
)

// Finding is what a rule found in the telemetry of a service.
type Finding struct {
	Rule     *Rule
	Service  string // empty if it is not known, or of no matter
	Evidence []Evidence
	More     int // pieces of evidence that are not kept
}

// Evidence is one thing that a rule found, and how often.
type Evidence struct {
	What   string // span, attribute, metric …
	Name   string // of the span, attribute, metric …
	Detail string // such as the value, or the name that it should have
	Trace  string // the id of the first trace
	Count  int
}

// Total is how often the finding was made, as far as it is known.
func (f Finding) Total() int {
	total := 0
	for _, evidence := range f.Evidence {
		total += evidence.Count
	}
	return total
}

type findingKey struct{ rule, service string }

// find notes that a rule found something.
func (j *Judge) find(rule, service string, evidence Evidence) {
	evidence.Name, evidence.Detail = shorten(evidence.Name), shorten(evidence.Detail)
	key := findingKey{rule, service}
	found := j.findings[key]
	if found == nil {
		if len(j.findings) >= mostFindings {
			return
		}
		found = &Finding{Rule: byID()[rule], Service: service}
		j.findings[key] = found
		j.fresh = append(j.fresh, found)
	}
	for i := range found.Evidence {
		if known := &found.Evidence[i]; known.Name == evidence.Name && known.What == evidence.What {
			known.Count += max(evidence.Count, 1)
			return
		}
	}
	if len(found.Evidence) >= mostEvidence {
		found.More++
		return
	}
	evidence.Count = max(evidence.Count, 1)
	found.Evidence = append(found.Evidence, evidence)
}

// findSpan notes that a rule found something in a span.
func (j *Judge) findSpan(rule string, s *service, name string, trace pcommon.TraceID, detail string) {
	evidence := Evidence{What: "span", Name: name, Detail: detail}
	if !j.known(rule, s.name, evidence) {
		evidence.Trace = trace.String()
	}
	j.find(rule, s.name, evidence)
}

// known reports whether there is evidence of this name.
func (j *Judge) known(rule, service string, evidence Evidence) bool {
	found := j.findings[findingKey{rule, service}]
	evidence.Name = shorten(evidence.Name)
	return found != nil && slices.ContainsFunc(found.Evidence, func(e Evidence) bool { return e.What == evidence.What && e.Name == evidence.Name })
}

// shorten makes a text fit for a terminal: it is short, in one line, and without control characters.
func shorten(text string) string {
	if len(text) <= longText && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		return text
	}
	short := strings.ToValidUTF8(text[:min(len(text), longText)], "")
	short = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, short)
	short = strings.Join(strings.Fields(short), " ")
	if len(text) > longText {
		short += "…"
	}
	return short
}
