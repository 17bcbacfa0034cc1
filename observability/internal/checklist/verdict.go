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
	Reason  string
	Needles []string // texts in the stage's code that add what is missing, if they are not those of the item
	Advice  string   // what to do in general, if it is not that of the item
}

// There reports whether the item is there.
func (v Verdict) There() bool { return v.Reason == "" }

func wrong(format string, values ...any) Verdict {
	return Verdict{Reason: fmt.Sprintf(format, values...)}
}

// needs returns the verdict with texts in the stage's code that add what is missing.
func (v Verdict) needs(needles ...string) Verdict {
	v.Needles = append(v.Needles, needles...)
	return v
}

// advised returns the verdict with advice of its own.
func (v Verdict) advised(advice string) Verdict {
	v.Advice = advice
	return v
}

// nearest returns a sentence with the name most similar to a missing one, or "" if none is similar.
func nearest(want string, names []string) string {
	plain := strings.NewReplacer(".", "", "_", "", "-", "", " ", "", "/", "")
	wanted := plain.Replace(strings.ToLower(want))
	best, least := "", max(2, len(want)/4)+1
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		got := plain.Replace(strings.ToLower(name))
		distance := levenshtein.ComputeDistance(wanted, got)
		if strings.HasPrefix(got, wanted) { // such as dice_rolls_total for dice.rolls
			distance = min(distance, least-1)
		}
		if distance < least && name != want {
			best, least = name, distance
		}
	}
	if best == "" {
		return ""
	}
	return " There is " + strconv.Quote(best) + ", which looks similar."
}

// list joins names: a, b and c.
func list(names []string) string {
	switch n := len(names); n {
	case 0, 1:
		return strings.Join(names, "")
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}

// plural returns "1 span" or "3 spans".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
