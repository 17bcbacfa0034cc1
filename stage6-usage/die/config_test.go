package main

import (
	"testing"
	"time"
)

func TestConfig(t *testing.T) {
	for _, name := range []string{"ADDR", "DICE_FILE", "DATABASE"} {
		t.Setenv(name, "")
	}
	t.Setenv("LATENCY", "250ms")
	got, err := readConfig()
	if want := (config{addr: ":8080", diceFile: "dice.json", database: "dice.db", latency: 250 * time.Millisecond}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestBadConfig(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"ADDR", "8080", `ADDR="8080": want an address to listen on, such as :8080`},
		{"LATENCY", "slow", `LATENCY="slow": want a duration from 0s to 10s, such as 250ms`},
		{"LATENCY", "11s", `LATENCY="11s": want a duration from 0s to 10s, such as 250ms`},
	}
	for _, test := range tests {
		t.Run(test.name+"="+test.value, func(t *testing.T) {
			t.Setenv(test.name, test.value)
			if _, err := readConfig(); err == nil || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}
