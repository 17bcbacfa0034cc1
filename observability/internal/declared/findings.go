package declared

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// findings are the results of a comparison so far.
type findings struct {
	seen  map[string]bool
	lines map[string]bool
}

func newFindings() *findings {
	return &findings{seen: make(map[string]bool), lines: make(map[string]bool)}
}

func (f *findings) differences() []string { return slices.Sorted(maps.Keys(f.lines)) }

func (f *findings) undeclared(what string) { f.lines[what+" is not declared"] = true }

func (f *findings) saw(kind, service, name string) { f.seen[kind+service+name] = true }

func (f *findings) want(optional bool, kind, service, name string) {
	if !optional && !f.seen[kind+service+name] {
		f.lines[fmt.Sprintf("%s %q of %s is declared and was not seen", kind, name, service)] = true
	}
}

func (f *findings) equal(what, property, got, want string) {
	f.oneOf(what, property, got, []string{want})
}

func (f *findings) oneOf(what, property, got string, want []string) {
	if !slices.Contains(want, got) {
		f.lines[fmt.Sprintf("%s: %s %q, declared is %q", what, property, got, strings.Join(want, ", "))] = true
	}
}

func (f *findings) attributes(what string, got map[string]string, want Attributes) {
	for _, name := range want.Always {
		if _, ok := got[name]; !ok {
			f.lines[fmt.Sprintf("%s lacks attribute %s", what, name)] = true
		}
	}
	for name, value := range got {
		if allowed, ok := want.Values[name]; ok {
			f.oneOf(what, name, value, allowed)
		}
		if !slices.Contains(want.Always, name) && !slices.Contains(want.Maybe, name) {
			f.lines[fmt.Sprintf("%s has attribute %s, which is not declared", what, name)] = true
		}
	}
}
