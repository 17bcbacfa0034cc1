package doctor

import (
	_ "embed" // the rules
	"fmt"
	"sync"

	"go.yaml.in/yaml/v3"

	"example.com/dice/observability/internal/score"
)

// Severity says how bad a finding is.
type Severity string

// Error is for what loses or falsifies data, or leaks; Warning for what misleads; Note for the rest.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Severities has all of them, the worst first.
var Severities = []Severity{Error, Warning, Note}

// Rule says what is wrong and how to fix it.
type Rule struct {
	ID       string
	Severity Severity // of a rule of the score: empty
	Title    string
	Why      string // it hurts
	Needs    string // the evidence from which on it speaks, and its exceptions; of a rule of the score: empty
	Fix      string // a few lines of Go
	Learn    string // where the tutorial teaches it: a path from the repository's root, with an anchor
}

//go:embed rules.yaml
var rulesFile []byte

//go:embed score.yaml
var scoreFile []byte

// Rules returns the rules beside the score, in their order.
var Rules = sync.OnceValue(func() []Rule { return mustRead(rulesFile) })

// ScoreRules returns the rules of the score, in their order.
var ScoreRules = sync.OnceValue(func() []Rule { return mustRead(scoreFile) })

func mustRead(file []byte) []Rule {
	var rules []Rule
	if err := yaml.Unmarshal(file, &rules); err != nil {
		panic(fmt.Sprintf("reading the rules: %v", err)) // the files are part of the program
	}
	return rules
}

var byID = sync.OnceValue(func() map[string]*Rule {
	all := make(map[string]*Rule)
	for _, rules := range [][]Rule{Rules(), ScoreRules()} {
		for i := range rules {
			all[rules[i].ID] = &rules[i]
		}
	}
	return all
})

// ImpactOf returns the impact of a rule of the score.
func (r Rule) ImpactOf() string { return score.Impacts[r.ID].String() }

// ScoreRule returns a rule of the score.
func ScoreRule(id string) Rule { return *byID()[id] }
