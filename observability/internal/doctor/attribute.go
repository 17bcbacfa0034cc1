package doctor

import (
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"example.com/dice/observability/internal/registry"
)

const (
	mostKeys      = 5000 // attributes of a service
	longAttribute = 4 << 10
)

// key is what is known of an attribute of a service.
type key struct {
	registered bool
	want       string // the registered type
	renamed    registry.Renamed
	near       string
	first      string // the type that was seen first
	where      string // it was seen
}

// attribute judges an attribute of a resource, span, span event, metric or log record.
func (j *Judge) attribute(s *service, in scope, where, name string, value pcommon.Value, trace pcommon.TraceID) {
	known := s.keys[name]
	if known == nil {
		if known = j.newKey(s, in, name); known == nil {
			return
		}
		known.first, known.where = typeOf(value), where
	}
	switch {
	case known.renamed.Since != "":
		if where == logRecord && isBridged(name) {
			in = scope{library: true, name: "a bridge from a logging library"}
		}
		j.deprecated(s, in, "attribute", name, known.renamed)
	case known.near != "" && !in.library:
		j.find("name-near-miss", s.name, Evidence{What: "attribute", Name: name, Detail: "of a " + where + ", probably " + known.near})
	}
	if !in.library {
		j.typed(s, known, where, name, value)
	}
	j.content(s, where+" attribute", name, value, trace)
}

// newKey looks an attribute up. It returns nil if the service has too many.
func (j *Judge) newKey(s *service, in scope, name string) *key {
	if len(s.keys) >= mostKeys {
		return nil
	}
	known := new(key)
	s.keys[name] = known
	if found, ok := registry.FindAttribute(name); ok {
		known.registered, known.want = true, found.Type
	} else if renamed, ok := registry.RenamedAttribute(name); ok {
		known.renamed = renamed
	} else if known.near = registry.NearAttribute(name); known.near == "" && !in.library {
		j.spelling(s, name)
	}
	return known
}

// isBridged reports whether an attribute of a log record is made by what connects a logging library with the SDK. The scope does not
// show it: it has the name of the logger.
func isBridged(name string) bool {
	return strings.HasPrefix(name, "code.") || strings.HasPrefix(name, "exception.") || strings.HasPrefix(name, "log.")
}

// spelling looks for an own attribute that is spelled in another way. One of the two must have a namespace: single words occur by
// chance.
func (j *Judge) spelling(s *service, name string) {
	letters := registry.Spelling(name)
	other, ok := s.spellings[letters]
	if !ok {
		s.spellings[letters] = name
	} else if strings.Contains(name+other, ".") {
		j.find("name-two-spellings", s.name, Evidence{What: "attribute", Name: name, Detail: "and " + other})
	}
}

// deprecated notes a name that was renamed. That of a library, or of telemetry that says that it follows older conventions, is not
// for its user to change.
func (j *Judge) deprecated(s *service, in scope, what, name string, renamed registry.Renamed) {
	rule, by := "name-deprecated", ""
	if in.library {
		rule, by = "library-deprecated", ", made by "+in.name
	} else if in.minor > 0 && in.minor < minor(renamed.Since) {
		rule, by = "library-deprecated", fmt.Sprintf(", in a scope that follows version 1.%d.0", in.minor)
	}
	detail := "now " + renamed.New + ", since version " + renamed.Since
	if renamed.New == "" {
		detail = "removed in version " + renamed.Since
	}
	j.find(rule, s.name, Evidence{What: what, Name: name, Detail: detail + by})
}

// typed compares the type of a value with the registered one, or with that of the values before.
func (j *Judge) typed(s *service, known *key, where, name string, value pcommon.Value) {
	got := typeOf(value)
	if got == "" {
		return
	}
	if known.registered {
		if !sameType(known.want, got) {
			j.find("name-type", s.name, Evidence{What: "attribute", Name: name, Detail: fmt.Sprintf("of a %s is %s, registered as %s", where, got, known.want)})
		}
		return
	}
	if strings.Contains(name, ".") && known.renamed.Since == "" && known.first != "" && !sameType(known.first, got) {
		j.find("name-type", s.name, Evidence{
			What: "attribute", Name: name, Detail: fmt.Sprintf("of a %s is %s, of a %s it was %s", where, got, known.where, known.first),
		})
	}
}

func typeOf(value pcommon.Value) string {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		return "string"
	case pcommon.ValueTypeInt:
		return "int"
	case pcommon.ValueTypeDouble:
		return "double"
	case pcommon.ValueTypeBool:
		return "bool"
	case pcommon.ValueTypeSlice:
		return "[]"
	default:
		return ""
	}
}

// sameType reports whether a type is as wanted. Languages with one type of numbers send whole numbers as int.
func sameType(want, got string) bool {
	number := func(t string) bool { return t == "int" || t == "double" }
	return want == "any" || want == got || number(want) && number(got) || got == "[]" && strings.HasSuffix(want, "[]")
}

// content judges a value: its length, secrets and email addresses.
func (j *Judge) content(s *service, where, name string, value pcommon.Value, trace pcommon.TraceID) {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		j.inspect(s, where, name, value.Str(), trace)
	case pcommon.ValueTypeSlice:
		for i, element := range value.Slice().All() {
			if i < mostElements && element.Type() == pcommon.ValueTypeStr {
				j.inspect(s, where, name, element.Str(), trace)
			}
		}
	case pcommon.ValueTypeMap:
		for key, element := range value.Map().All() {
			if element.Type() == pcommon.ValueTypeStr {
				j.inspect(s, where, name+"."+key, element.Str(), trace)
			}
		}
	default: // numbers have no secrets
	}
}

// mostElements of an array are looked at.
const mostElements = 100

func (j *Judge) inspect(s *service, where, name, value string, trace pcommon.TraceID) {
	evidence := Evidence{What: where, Name: name}
	note := func(rule string) {
		if !trace.IsEmpty() && !j.known(rule, s.name, evidence) {
			evidence.Trace = trace.String()
		}
		j.find(rule, s.name, evidence)
	}
	if len(value) > longAttribute && !strings.HasSuffix(name, "stacktrace") && name != "" && where != "resource attribute" {
		evidence.Detail = fmt.Sprintf("%d bytes", len(value))
		note("attribute-long")
	}
	if secret := findSecret(name, value); secret != "" {
		evidence.Detail = secret
		note("leak-secret")
		return
	}
	if strings.HasSuffix(registry.Spelling(name), "messageid") { // of a mail: it looks like an address
		return
	}
	if email := findEmail(value); email != "" {
		evidence.Detail = email[:1] + "…@…"
		note("leak-email")
	}
}
