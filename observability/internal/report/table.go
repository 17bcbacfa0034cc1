package report

import (
	"maps"
	"slices"
	"strconv"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/lipgloss/table"

	"example.com/dice/observability/internal/store"
)

// NewTable returns a table whose first columns, as many as texts says, are left-aligned, and the others are right-aligned.
func NewTable(texts int, headers ...string) *table.Table {
	return table.New().Border(lipgloss.NormalBorder()).BorderStyle(Faint).Headers(headers...).
		StyleFunc(func(row, column int) lipgloss.Style {
			style := lipgloss.NewStyle().Padding(0, 1)
			if row == table.HeaderRow {
				style = style.Bold(true)
			}
			if column >= texts {
				style = style.Align(lipgloss.Right)
			}
			return style
		})
}

// Dice shows how often each face of each die came up, from the counter dice.rolls.
func Dice(points []store.Point) string {
	counts := make(map[string]map[string]int) // by die, by value or outcome
	columns := make(map[string]bool)
	for _, point := range points {
		if point.Name != "dice.rolls" {
			continue
		}
		die, outcome := point.Attributes["die.identifier"], point.Attributes["die.value"]
		if outcome == "" {
			outcome = point.Attributes["dice.roll.outcome"]
		}
		if counts[die] == nil {
			counts[die] = make(map[string]int)
		}
		counts[die][outcome] += int(point.Value)
		columns[outcome] = true
	}
	headers := slices.Sorted(maps.Keys(columns))
	t := NewTable(1, append([]string{"die"}, headers...)...)
	for _, die := range slices.Sorted(maps.Keys(counts)) {
		row := []string{die}
		for _, outcome := range headers {
			row = append(row, strconv.Itoa(counts[die][outcome]))
		}
		t.Row(row...)
	}
	return t.String()
}
