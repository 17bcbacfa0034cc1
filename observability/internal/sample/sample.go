// Package sample writes telemetry for tests from a few lines of text:
//
//	resource service.name=shop schema=https://…
//	scope example.com/shop 1.0.0
//	span server "GET /orders" id=1 at=0 for=10ms http.request.method=GET
//	10 span internal "query {}" trace={} id={} parent=1
//	log info "order {} placed" trace=1 span=1 order.id=17
//	counter orders {order} 5 outcome=placed
//	histogram wait s bounds=0,5,10 counts=9,1,0,0 sum=4
//
// A number in front repeats a line; {} is then the number of the repetition, from 1. Values in quotes are strings. Others are
// numbers or booleans if they look like it. Times are relative to a fixed moment. Words with a meaning of their own are listed
// below; all others are attributes.
package sample

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Start is the moment that times are relative to.
var Start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// Telemetry is what a text describes. Each line has a resource and a scope of its own, in the order of the lines.
type Telemetry struct {
	Traces  ptrace.Traces
	Metrics pmetric.Metrics
	Logs    plog.Logs
}

// Parse reads a text. It panics if the text is wrong, because only tests write it.
func Parse(text string) Telemetry {
	w := writer{Telemetry: Telemetry{ptrace.NewTraces(), pmetric.NewMetrics(), plog.NewLogs()}}
	w.resource = line{}
	for row := range strings.Lines(text) {
		words := split(row)
		if len(words) == 0 {
			continue
		}
		if n, err := strconv.Atoi(words[0]); err == nil {
			for i := range n {
				w.add(split(strings.ReplaceAll(strings.TrimSpace(row)[len(words[0]):], "{}", strconv.Itoa(i+1))))
			}
			continue
		}
		w.add(words)
	}
	return w.Telemetry
}

// split splits at spaces that are not within quotes.
func split(row string) []string {
	quoted := false
	return strings.FieldsFunc(row, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && (r == ' ' || r == '\t' || r == '\n')
	})
}

// line is what the words of a line say.
type line struct {
	words      []string          // without those of the form key=value
	own        map[string]string // with a meaning
	attributes [][2]string
}

var meanings = map[string]bool{
	"schema": true, "trace": true, "id": true, "parent": true, "at": true, "for": true, "status": true, "dropped": true, "event": true, "local": true,
	"span": true, "bounds": true, "counts": true, "sum": true, "start": true, "delta": true, "exemplar": true, "observed": true, "number": true,
}

func read(words []string) line {
	got := line{own: make(map[string]string)}
	for _, word := range words {
		key, value, ok := strings.Cut(word, "=")
		switch {
		case strings.HasPrefix(word, `"`):
			got.words = append(got.words, strings.Trim(word, `"`))
		case !ok:
			got.words = append(got.words, word)
		case meanings[key]:
			got.own[key] = strings.Trim(value, `"`)
		default:
			got.attributes = append(got.attributes, [2]string{key, value})
		}
	}
	return got
}

func (l line) attribute(into pcommon.Map) {
	for _, pair := range l.attributes {
		key, text := pair[0], pair[1]
		number, err := strconv.ParseInt(text, 10, 64)
		fraction, err2 := strconv.ParseFloat(text, 64)
		switch {
		case strings.HasPrefix(text, `"`):
			into.PutStr(key, strings.Trim(text, `"`))
		case err == nil:
			into.PutInt(key, number)
		case err2 == nil:
			into.PutDouble(key, fraction)
		case text == "true" || text == "false":
			into.PutBool(key, text == "true")
		default:
			into.PutStr(key, text)
		}
	}
}

func (l line) moment(key string) pcommon.Timestamp {
	return pcommon.NewTimestampFromTime(Start.Add(l.duration(key)))
}

func (l line) duration(key string) time.Duration {
	text, ok := l.own[key]
	if !ok || text == "0" || text == "none" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return d
}

func (l line) number(key string) uint64 {
	if l.own[key] == "" {
		return 0
	}
	n, err := strconv.ParseUint(l.own[key], 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// writer puts lines into telemetry.
type writer struct {
	Telemetry
	resource, scope line
}

func (w *writer) add(words []string) {
	l := read(words[1:])
	switch words[0] {
	case "resource":
		w.resource = l
	case "scope":
		w.scope = l
	case "span":
		w.span(l)
	case "log":
		w.log(l)
	case "counter", "updown", "gauge", "histogram":
		w.metric(words[0], l)
	default:
		panic(fmt.Sprintf("unknown word %q", words[0]))
	}
}

func (w *writer) setScope(scope pcommon.InstrumentationScope) {
	if len(w.scope.words) > 0 {
		scope.SetName(w.scope.words[0])
	}
	if len(w.scope.words) > 1 {
		scope.SetVersion(w.scope.words[1])
	}
}
