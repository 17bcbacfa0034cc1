package main

import (
	"testing"
	"time"
)

func TestConfig(t *testing.T) {
	t.Setenv("ADDR", "")
	t.Setenv("MAX_WAIT", "")
	t.Setenv("MAX_TIMES", "")
	t.Setenv("SEED", "7")
	t.Setenv("DIE_URL", "http://die:8080/")
	got, err := readConfig()
	if want := (config{addr: ":8080", dieURL: "http://die:8080", maxWait: time.Second, maxTimes: 1000, seed: 7}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestBadConfig(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"ADDR", "8080", `ADDR="8080": want an address to listen on, such as :8080`},
		{"MAX_WAIT", "1", `MAX_WAIT="1": want a duration from 0s to 10s, such as 250ms`},
		{"MAX_WAIT", "-1s", `MAX_WAIT="-1s": want a duration from 0s to 10s, such as 250ms`},
		{"MAX_WAIT", "11s", `MAX_WAIT="11s": want a duration from 0s to 10s, such as 250ms`},
		{"MAX_TIMES", "0", `MAX_TIMES="0": want a whole number from 1 to 100000`},
		{"DIE_URL", "", "DIE_URL is not set"},
		{"DIE_URL", "die:8080", `DIE_URL="die:8080": want a URL such as http://localhost:8081`},
		{"SEED", "lucky", `SEED="lucky": want a whole number from 0 to 18446744073709551615`},
	}
	for _, test := range tests {
		t.Run(test.name+"="+test.value, func(t *testing.T) {
			t.Setenv("DIE_URL", "http://die")
			t.Setenv(test.name, test.value)
			if _, err := readConfig(); err == nil || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}
