package checklist

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Verdict says why an item is missing. The zero value means that it is there.
type Verdict struct {
	Reason string
	Needle string // text in the stage's code that adds the missing part, if only a part of the item is missing
}

// There reports whether the item is there.
func (v Verdict) There() bool { return v.Reason == "" }

func wrong(format string, values ...any) Verdict {
	return Verdict{Reason: fmt.Sprintf(format, values...)}
}

// nearest returns a sentence with the name most similar to a missing one, or "" if none is similar.
func nearest(want string, names []string) string {
	plain := strings.NewReplacer(".", "", "_", "", "-", "", " ", "", "/", "")
	best, least := "", max(2, len(want)/4)+1
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		distance := levenshtein.ComputeDistance(plain.Replace(strings.ToLower(want)), plain.Replace(strings.ToLower(name)))
		if distance < least && name != want {
			best, least = name, distance
		}
	}
	if best == "" {
		return ""
	}
	return " There is " + strconv.Quote(best) + ", which looks similar."
}
