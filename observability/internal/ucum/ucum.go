// Package ucum checks units of measurement against the Unified Code for Units of Measure, https://ucum.org/ucum, in its
// case-sensitive form, which OpenTelemetry requires of metrics.
package ucum

import (
	"maps"
	"slices"
	"strings"
)

// Atoms that may have a prefix, and those that may not. Customary and clinical units are written in square brackets, and are not
// listed: any name in brackets is accepted.
var (
	metricAtoms = set("m s g rad K C cd mol sr Hz N Pa J W A V F Ohm S Wb Cel T H lm lx Bq Gy Sv l L ar t bar u eV pc gf Ky Gal dyn erg P Bi St " +
		"Mx G Oe Gb sb Lmb ph Ci R RAD REM cal tex Np B eq osm g% kat U st mho bit By Bd m[H2O] m[Hg]")
	otherAtoms = set("10* 10^ % gon deg ' '' min h d a_t a_j a_g a wk mo_s mo_j mo_g mo AU bit_s Ao b att circ sph")
	prefixes   = []string{"Y", "Z", "E", "P", "T", "G", "M", "k", "h", "da", "d", "c", "m", "u", "n", "p", "f", "a", "z", "y", "Ki", "Mi", "Gi", "Ti"}
)

func set(words string) map[string]bool {
	all := make(map[string]bool)
	for word := range strings.FieldsSeq(words) {
		all[word] = true
	}
	return all
}

// Valid reports whether a unit is valid, such as "s", "By/s", "{request}" or "1".
func Valid(unit string) bool {
	p := parser{rest: unit}
	if unit == "" {
		return false
	}
	p.take("/")
	return p.term() && p.rest == ""
}

// parser is a recursive descent parser. The names of its methods are those of the specification's grammar, section 3.
type parser struct {
	rest  string
	depth int
}

func (p *parser) take(token string) bool {
	rest, ok := strings.CutPrefix(p.rest, token)
	p.rest = rest
	return ok
}

func (p *parser) term() bool {
	for p.component() {
		if !p.take(".") && !p.take("/") {
			return true
		}
	}
	return false
}

func (p *parser) component() bool {
	const deepest = 20 // of parentheses
	switch {
	case p.take("("):
		p.depth++
		return p.depth <= deepest && p.term() && p.take(")")
	case p.annotation():
		return true
	case p.simpleUnit():
		p.exponent()
	case p.digits(): // a factor
	default:
		return false
	}
	p.annotation()
	return true
}

// annotation takes {text}, which says what is counted and has no other meaning.
func (p *parser) annotation() bool {
	if !strings.HasPrefix(p.rest, "{") {
		return false
	}
	text, rest, ok := strings.Cut(p.rest[1:], "}")
	if !ok || strings.ContainsFunc(text, func(r rune) bool { return r < '!' || r > '~' || r == '{' }) {
		return false
	}
	p.rest = rest
	return true
}

func (p *parser) digits() bool {
	rest := strings.TrimLeft(p.rest, "0123456789")
	found := len(rest) < len(p.rest)
	p.rest = rest
	return found
}

func (p *parser) exponent() {
	before := p.rest
	if !p.take("+") {
		p.take("-")
	}
	if !p.digits() {
		p.rest = before
	}
}

// simpleUnit takes the longest symbol that is an atom, or a prefix and an atom.
func (p *parser) simpleUnit() bool {
	end := strings.IndexAny(p.rest, "./(){}+-")
	if end < 0 {
		end = len(p.rest)
	}
	for n := end; n > 0; n-- {
		if symbol := p.rest[:n]; isUnit(symbol) {
			p.rest = p.rest[n:]
			return true
		}
	}
	return false
}

func isUnit(symbol string) bool {
	if metricAtoms[symbol] || otherAtoms[symbol] {
		return true
	}
	if len(symbol) > 2 && strings.HasPrefix(symbol, "[") && strings.Index(symbol, "]") == len(symbol)-1 {
		return true
	}
	for _, prefix := range prefixes {
		if atom, ok := strings.CutPrefix(symbol, prefix); ok && metricAtoms[atom] {
			return true
		}
	}
	return false
}

// spoken has the words for the units that telemetry uses, in the singular.
var (
	spoken = map[string][]string{
		"s": {"second", "sec"}, "min": {"minute"}, "h": {"hour", "hr"}, "d": {"day"}, "By": {"byte"}, "bit": {"bit"}, "%": {"percent", "percentage"},
		"Hz": {"hertz"}, "m": {"meter", "metre"}, "g": {"gram"}, "Cel": {"celsius"}, "V": {"volt"}, "W": {"watt"}, "J": {"joule"}, "A": {"ampere", "amp"},
	}
	spokenPrefixes = map[string]string{
		"": "", "k": "kilo", "M": "mega", "G": "giga", "T": "tera", "m": "milli", "u": "micro", "n": "nano",
		"Ki": "kibi", "Mi": "mebi", "Gi": "gibi", "Ti": "tebi",
	}
)

// Words returns how a unit that is not composed is written within names: its symbol, and its name in singular and plural. It returns
// nothing for other units. Annotations are no units, so {request} has no words.
func Words(unit string) []string {
	for _, prefix := range slices.Sorted(maps.Keys(spokenPrefixes)) {
		symbol, ok := strings.CutPrefix(unit, prefix)
		if !ok || spoken[symbol] == nil || (prefix != "" && !metricAtoms[symbol]) {
			continue
		}
		words := []string{unit}
		for _, word := range spoken[symbol] {
			words = append(words, spokenPrefixes[prefix]+word, spokenPrefixes[prefix]+word+"s")
		}
		if symbol == "s" && prefix != "" {
			words = append(words, spokenPrefixes[prefix]+"s") // millis
		}
		return words
	}
	return nil
}
