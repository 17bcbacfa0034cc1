package ucum_test

import (
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/internal/ucum"
)

func TestValid(t *testing.T) {
	for unit, want := range map[string]bool{
		"1": true, "s": true, "ms": true, "us": true, "ns": true, "min": true, "h": true, "d": true, "By": true, "KiBy": true, "kBy": true, "MiBy": true,
		"By/s": true, "{request}": true, "{request}/s": true, "1/s": true, "/s": true, "%": true, "Cel": true, "Hz": true, "bit/s": true, "m/s2": true,
		"m.s-1": true, "10*3": true, "10^3/uL": true, "(m/s)/s": true, "kg.m2/(s3.A)": true, "[degF]": true, "mm[Hg]": true, "{a}.{b}": true, "s{cpu}": true,
		"100": true, "m+2": true, "V": true, "W": true, "J": true, "{run_queue_item}": true, "m[H2O]": true,

		"": false, "seconds": false, "sec": false, "count": false, "request": false, "requests": false, "bytes": false, "Bytes": false, "B/sec": false,
		"KB": false, "µs": false, "milliseconds": false, "percent": false, "{request": false, "request}": false, "{}}": false, "s/": false, "s s": false,
		"(s": false, "s)": false, "kmin": false, "#": false, "items": false, "{a b}": false, "{é}": false, "[]": false, "-1": false, "s.": false,
	} {
		if got := ucum.Valid(unit); got != want {
			t.Errorf("Valid(%q) is %t", unit, got)
		}
	}
	ucum.Valid(strings.Repeat("(", 1000000)) // returns
}

func TestWords(t *testing.T) {
	for unit, want := range map[string]string{
		"s": "seconds", "ms": "millis", "us": "microsecond", "By": "bytes", "KiBy": "kibibytes", "%": "percent", "min": "min", "m": "meters", "MBy": "megabyte",
		"{request}": "", "1": "", "By/s": "", "kmin": "", "": "",
	} {
		words := ucum.Words(unit)
		if want == "" && words != nil || want != "" && !slices.Contains(words, want) {
			t.Errorf("Words(%q) are %q, want %q", unit, words, want)
		}
	}
}
