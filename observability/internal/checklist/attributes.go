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

// checkAttributes requires the attributes that are always set, and the declared types and values. Other attributes are allowed.
func checkAttributes(what string, got, types map[string]string, want declared.Attributes, t declared.Telemetry) Verdict {
	for _, name := range want.Always {
		if _, ok := got[name]; !ok {
			return Verdict{missingAttribute(what, name, got, slices.Concat(want.Always, want.Maybe)), strconv.Quote(name)}
		}
	}
	for _, name := range slices.Concat(want.Always, want.Maybe) {
		value, ok := got[name]
		if !ok {
			continue
		}
		declared := t.Types[name]
		if wantType := cmp.Or(declared.Name, "string"); types[name] != wantType {
			return Verdict{fmt.Sprintf("The attribute %s of %s is of type %s, not %s.", name, what, types[name], wantType), strconv.Quote(name)}
		}
		if len(declared.Values) > 0 && !slices.Contains(declared.Values, value) {
			return Verdict{fmt.Sprintf("The attribute %s of %s is %q. Its value must be one of %s.", name, what, value, strings.Join(declared.Values, ", ")), strconv.Quote(name)}
		}
	}
	return Verdict{}
}

// missingAttribute says that an attribute is missing, and names one with a similar name, if there is one.
func missingAttribute(what, name string, got map[string]string, known []string) string {
	var others []string
	for other := range got {
		if !slices.Contains(known, other) {
			others = append(others, other)
		}
	}
	return fmt.Sprintf("The attribute %s of %s is missing.%s", name, what, nearest(name, others))
}

// neverSeen finds an optional attribute of this project's own that was never set. The traffic covers all cases, so it
// should have been set at least once.
func neverSeen(maybe []string, seen map[string]bool) Verdict {
	for _, name := range maybe {
		if (strings.HasPrefix(name, "die.") || strings.HasPrefix(name, "dice.")) && !seen[name] {
			return Verdict{fmt.Sprintf("The attribute %s is never set, although the traffic includes cases that need it.%s", name, nearest(name, slices.Sorted(maps.Keys(seen)))), strconv.Quote(name)}
		}
	}
	return Verdict{}
}
