package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// TestArguments requires a usage error for every combination of arguments that makes no sense.
func TestArguments(t *testing.T) {
	for arguments, want := range map[string]string{
		"":                                     "want a stage",
		"start":                                "want a stage",
		"watch":                                "want a stage",
		"hint":                                 "want a stage",
		"solution":                             "want a stage",
		"stage9-nope my":                       `unknown stage "stage9-nope"`,
		"wacth stage1-roll":                    `unknown stage "wacth"`,
		"wacth stage1-roll my":                 "want a stage, and the directory",
		"stage1-roll watch my":                 "want a stage, and the directory",
		"watch stage1-roll my and":             "want a stage, and the directory",
		"start hint stage1-roll":               `unknown stage "hint"`,
		"list stage1-roll":                     "list takes no arguments",
		"list list":                            "list takes no arguments",
		"stage1-roll list my":                  "want a stage, and the directory",
		"-start stage1-roll my":                "unknown flag -start",
		"stage1-roll my -watch":                "unknown flag -watch",
		"--list":                               "unknown flag --list",
		"-incident stage1-roll":                "unknown flag -incident",
		"start stage1-roll -docker my-service": "unknown flag -docker",
	} {
		var out bytes.Buffer
		err := run(t.Context(), strings.Fields(arguments), &out)
		if _, ok := errors.AsType[usageError](err); !ok || !strings.Contains(err.Error(), want) || out.Len() > 0 {
			t.Errorf("check %s: error %v, output %q, want the usage error %s", arguments, err, &out, want)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, arguments := range []string{"-h", "--help", "start -h"} {
		var out bytes.Buffer
		if err := run(t.Context(), strings.Fields(arguments), &out); err != nil || out.String() != usage {
			t.Errorf("check %s: error %v, output %q", arguments, err, &out)
		}
	}
}
