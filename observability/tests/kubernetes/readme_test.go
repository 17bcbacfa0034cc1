//go:build e2e

package kubernetes

import (
	"fmt"
	"testing"
	"time"

	"example.com/dice/observability/internal/readme"
)

// queries wants each query of the README to find something.
func queries(t *testing.T, engines engines) {
	text, err := readme.Read(directory + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	ask := map[string]func(string) (int, error){
		"promql": func(query string) (int, error) {
			found, err := engines.promQL(query)
			return len(found), err
		},
		"logql": func(query string) (int, error) {
			found, err := engines.logQL(query, time.Now().Add(-time.Hour))
			return len(found), err
		},
		"traceql": engines.traceQL,
	}
	for _, block := range text.Of("promql", "logql", "traceql") {
		eventually(t, block.Text, func() error {
			found, err := ask[block.Language](block.Text)
			if err == nil && found == 0 {
				err = fmt.Errorf("nothing found")
			}
			return err
		})
	}
}
