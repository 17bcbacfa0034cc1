package checklist

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"example.com/dice/observability/internal/declared"
)

// attributed is a span, a data point or a log record.
type attributed struct{ values, types map[string]string }

// checkAttributes requires of all spans, points or records the attributes that are always set, and the declared types and values. Other
// attributes are allowed. An optional attribute of this project's own must be set at least once, because the traffic covers all cases.
func checkAttributes(what string, all []attributed, want declared.Attributes, t declared.Telemetry) Verdict {
	if v := checkMissing(what, all, want); !v.There() {
		return v
	}
	for _, name := range slices.Concat(want.Always, want.Maybe) {
		seen := false
		for _, one := range all {
			value, ok := one.values[name]
			if !ok {
				continue
			}
			seen = true
			if v := checkValue(what, name, value, one.types[name], want, t); !v.There() {
				return v
			}
		}
		if !seen && (strings.HasPrefix(name, "die.") || strings.HasPrefix(name, "dice.")) && slices.Contains(want.Maybe, name) {
			return wrong("The attribute %s is never set, although the traffic includes cases that need it.%s", name, nearest(name, strangers(all, want))).needs(strconv.Quote(name))
		}
	}
	return Verdict{}
}

// checkMissing names all attributes that are missing at once.
func checkMissing(what string, all []attributed, want declared.Attributes) Verdict {
	lacking := make(map[string]int)
	for _, one := range all {
		for _, name := range want.Always {
			if _, ok := one.values[name]; !ok {
				lacking[name]++
			}
		}
	}
	if len(lacking) == 0 {
		return Verdict{}
	}
	names := slices.Sorted(maps.Keys(lacking))
	verb, noun, some := "is", "attribute", ""
	if len(names) > 1 {
		verb, noun = "are", "attributes"
	}
	if n := lacking[names[0]]; n < len(all) {
		some = fmt.Sprintf(" in %d of %d", n, len(all))
	}
	others := strangers(all, want)
	similar := ""
	for _, name := range names {
		similar += nearest(name, slices.Clone(others)) //nolint:perfsprint // few names
	}
	v := wrong("The %s %s of %s %s missing%s.%s", noun, list(names), what, verb, some, similar)
	for _, name := range names {
		v = v.needs(strconv.Quote(name))
	}
	return v
}

func checkValue(what, name, value, kind string, want declared.Attributes, t declared.Telemetry) Verdict {
	declared := t.Types[name]
	if wantKind := cmp.Or(declared.Name, "string"); kind != wantKind {
		return wrong("The attribute %s of %s is of type %s, not %s.", name, what, kind, wantKind).needs(strconv.Quote(name))
	}
	values := declared.Values
	if own, ok := want.Values[name]; ok {
		values = own
	}
	if len(values) > 0 && !slices.Contains(values, value) {
		if name == "error.type" {
			return wrong("The attribute error.type of %s is %q. Its value must be %s: a class of errors, which has few values, and not a message.", what, value, strings.Join(values, " or ")).needs("semconv.ErrorType(")
		}
		return wrong("The attribute %s of %s is %q. Its value must be one of %s.", name, what, value, strings.Join(values, ", ")).needs(strconv.Quote(name))
	}
	return Verdict{}
}

// strangers returns the names of attributes that are not declared.
func strangers(all []attributed, want declared.Attributes) []string {
	found := make(map[string]bool)
	for _, one := range all {
		for name := range one.values {
			if !slices.Contains(want.Always, name) && !slices.Contains(want.Maybe, name) {
				found[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
