package main

import "testing"

func TestConfig(t *testing.T) {
	t.Setenv("ADDR", "")
	t.Setenv("ROLL_URL", "http://roll:8080/")
	t.Setenv("DIE_URL", "http://die:8080")
	t.Setenv("GRAFANA_URL", "")
	got, err := readConfig()
	if want := (config{addr: ":8080", rollURL: "http://roll:8080", dieURL: "http://die:8080", grafana: "http://localhost:3000"}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestBadConfig(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"ROLL_URL", "", `ROLL_URL is not set`},
		{"DIE_URL", "", `DIE_URL is not set`},
		{"ROLL_URL", "roll:8080", `ROLL_URL="roll:8080": want a URL such as http://localhost:8081`},
		{"GRAFANA_URL", "grafana", `GRAFANA_URL="grafana": want a URL such as http://localhost:8081`},
		{"ADDR", "8080", `ADDR="8080": want an address to listen on, such as :8080`},
	}
	for _, test := range tests {
		t.Run(test.name+"="+test.value, func(t *testing.T) {
			t.Setenv("ROLL_URL", "http://roll:8080")
			t.Setenv("DIE_URL", "http://die:8080")
			t.Setenv(test.name, test.value)
			if _, err := readConfig(); err == nil || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}
