package doctor

import "strings"

// form is what is variable in a text.
type form int

const (
	constant form = iota
	numbers       // at least one number that stands alone
	ids           // a UUID, an email address or a long hexadecimal number
)

const (
	longHex = 16 // digits of an id that is hexadecimal
	uuid    = 36 // characters
)

// shape returns a text with placeholders for its variable parts. A number that is part of a word, as in v1 or http2, is no
// variable part.
func shape(s string) (string, form) {
	found := constant
	var out strings.Builder
	for s != "" {
		n := wordLength(s)
		if n == 0 {
			out.WriteByte(s[0])
			s = s[1:]
			continue
		}
		word := s[:n]
		s = s[n:]
		switch of := formOf(word); of {
		case ids:
			out.WriteString("{id}")
			found = ids
		case numbers:
			out.WriteString("{number}")
			found = max(found, numbers)
		default:
			out.WriteString(word)
		}
	}
	if found == constant {
		return "", constant
	}
	return out.String(), found
}

// wordLength returns the length of the word at the beginning of a text: letters and digits, and what joins them in ids.
func wordLength(s string) int {
	if len(s) >= uuid && isUUID(s[:uuid]) {
		return uuid
	}
	for i := range len(s) {
		c := s[i]
		if !isAlphanumeric(c) && c != '@' && c < 0x80 {
			return i
		}
	}
	return len(s)
}

func formOf(word string) form {
	if isUUID(word) || strings.Contains(word, "@") && len(word) > 2 {
		return ids
	}
	digits, hex := 0, 0
	for i := range len(word) {
		if c := word[i]; c >= '0' && c <= '9' {
			digits++
			hex++
		} else if c |= 0x20; c >= 'a' && c <= 'f' {
			hex++
		}
	}
	switch {
	case digits == len(word):
		return numbers
	case hex == len(word) && hex >= longHex && digits > 0:
		return ids
	default:
		return constant
	}
}

// isID reports whether a whole value is a UUID, an email address or a long hexadecimal number.
func isID(value string) bool {
	if isUUID(value) || len(value) <= 254 && findEmail(value) == value && value != "" {
		return true
	}
	return len(value) >= longHex && wordLength(value) == len(value) && formOf(value) == ids
}

func isUUID(s string) bool {
	if len(s) != uuid {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if lower := c | 0x20; (c < '0' || c > '9') && (lower < 'a' || lower > 'f') {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	lower := c | 0x20
	return c >= '0' && c <= '9' || lower >= 'a' && lower <= 'z'
}

// shapes counts texts by their shape. Its memory is bounded.
type shapes struct{ byShape map[string]*shapeCount }

type shapeCount struct {
	form     form
	total    int
	example  string
	distinct map[string]struct{}
}

const (
	mostShapes   = 500
	mostDistinct = 50 // texts of a shape that are remembered
)

// add counts a text, and returns its shape's count, or nil if it has no variable part.
func (s *shapes) add(text string) *shapeCount {
	if len(text) > 1000 {
		return nil
	}
	of, form := shape(text)
	if form == constant {
		return nil
	}
	if s.byShape == nil {
		s.byShape = make(map[string]*shapeCount)
	}
	count := s.byShape[of]
	if count == nil {
		if len(s.byShape) >= mostShapes {
			return nil
		}
		count = &shapeCount{form: form, example: text, distinct: make(map[string]struct{})}
		s.byShape[of] = count
	}
	count.total++
	if len(count.distinct) < mostDistinct {
		count.distinct[text] = struct{}{}
	}
	return count
}
