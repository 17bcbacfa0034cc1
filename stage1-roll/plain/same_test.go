package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// What instrumentation does not touch is the same here and there, and so are the tests of what both do.
func TestSameFilesAsTheInstrumentedService(t *testing.T) {
	for _, name := range []string{"config.go", "die.go", "handler.go", "die_test.go", "handler_test.go"} {
		here, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		there, err := os.ReadFile(filepath.Join("..", "roll", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(here, there) {
			t.Errorf("%s differs from ../roll/%s", name, name)
		}
	}
}
