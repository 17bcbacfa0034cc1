package env_test

import (
	"testing"
	"time"

	"example.com/dice/shared/env"
)

func TestReader(t *testing.T) {
	const whole64 = "want a whole number from 0 to 18446744073709551615"
	tests := []struct {
		name, value string
		read        func(*env.Reader) any
		want        any
		err         string
	}{
		{"ADDR", "", func(r *env.Reader) any { return r.Addr("ADDR", ":8080") }, ":8080", ""},
		{"ADDR", "[::1]:0", func(r *env.Reader) any { return r.Addr("ADDR", ":8080") }, "[::1]:0", ""},
		{"ADDR", "8080", func(r *env.Reader) any { return r.Addr("ADDR", ":8080") }, nil, `ADDR="8080": want an address to listen on, such as :8080`},
		{"ADDR", ":65536", func(r *env.Reader) any { return r.Addr("ADDR", ":8080") }, nil, `ADDR=":65536": want an address to listen on, such as :8080`},

		{"FILE", "", func(r *env.Reader) any { return r.String("FILE", "dice.json") }, "dice.json", ""},
		{"FILE", "x", func(r *env.Reader) any { return r.String("FILE", "dice.json") }, "x", ""},

		{"WAIT", "", func(r *env.Reader) any { return r.Duration("WAIT", time.Second, time.Minute) }, time.Second, ""},
		{"WAIT", "0", func(r *env.Reader) any { return r.Duration("WAIT", time.Second, time.Minute) }, time.Duration(0), ""},
		{"WAIT", "1m", func(r *env.Reader) any { return r.Duration("WAIT", time.Second, time.Minute) }, time.Minute, ""},
		{"WAIT", "61s", func(r *env.Reader) any { return r.Duration("WAIT", time.Second, time.Minute) }, nil, `WAIT="61s": want a duration from 0s to 1m0s, such as 250ms`},
		{"WAIT", "-1ns", func(r *env.Reader) any { return r.Duration("WAIT", time.Second, time.Minute) }, nil, `WAIT="-1ns": want a duration from 0s to 1m0s, such as 250ms`},
		{"WAIT", "5", func(r *env.Reader) any { return r.Duration("WAIT", time.Second, time.Minute) }, nil, `WAIT="5": want a duration from 0s to 1m0s, such as 250ms`},

		{"USERS", "", func(r *env.Reader) any { return r.Int("USERS", 10, 1, 99) }, 10, ""},
		{"USERS", "99", func(r *env.Reader) any { return r.Int("USERS", 10, 1, 99) }, 99, ""},
		{"USERS", "100", func(r *env.Reader) any { return r.Int("USERS", 10, 1, 99) }, nil, `USERS="100": want a whole number from 1 to 99`},
		{"USERS", "0", func(r *env.Reader) any { return r.Int("USERS", 10, 1, 99) }, nil, `USERS="0": want a whole number from 1 to 99`},
		{"USERS", "ten", func(r *env.Reader) any { return r.Int("USERS", 10, 1, 99) }, nil, `USERS="ten": want a whole number from 1 to 99`},

		{"SHARE", "", func(r *env.Reader) any { return r.Float("SHARE", 0.3, 0, 1) }, 0.3, ""},
		{"SHARE", "1", func(r *env.Reader) any { return r.Float("SHARE", 0.3, 0, 1) }, 1.0, ""},
		{"SHARE", "1.5", func(r *env.Reader) any { return r.Float("SHARE", 0.3, 0, 1) }, nil, `SHARE="1.5": want a number from 0 to 1`},
		{"SHARE", "NaN", func(r *env.Reader) any { return r.Float("SHARE", 0.3, 0, 1) }, nil, `SHARE="NaN": want a number from 0 to 1`},
		{"SHARE", "some", func(r *env.Reader) any { return r.Float("SHARE", 0.3, 0, 1) }, nil, `SHARE="some": want a number from 0 to 1`},

		{"SEED", "", func(r *env.Reader) any { return r.Uint64("SEED", 7) }, uint64(7), ""},
		{"SEED", "18446744073709551615", func(r *env.Reader) any { return r.Uint64("SEED", 7) }, uint64(1<<64 - 1), ""},
		{"SEED", "-1", func(r *env.Reader) any { return r.Uint64("SEED", 7) }, nil, `SEED="-1": ` + whole64},

		{"URL", "", func(r *env.Reader) any { return r.URL("URL", "") }, "", ""},
		{"URL", "https://a.example/b", func(r *env.Reader) any { return r.URL("URL", "") }, "https://a.example/b", ""},
		{"URL", "http://localhost:8081/", func(r *env.Reader) any { return r.URL("URL", "") }, "http://localhost:8081", ""},
		{"URL", "localhost:8081", func(r *env.Reader) any { return r.URL("URL", "") }, nil, `URL="localhost:8081": want a URL such as http://localhost:8081`},
		{"URL", "http://", func(r *env.Reader) any { return r.URL("URL", "") }, nil, `URL="http://": want a URL such as http://localhost:8081`},
		{"URL", "http://a b", func(r *env.Reader) any { return r.URL("URL", "") }, nil, `URL="http://a b": want a URL such as http://localhost:8081`},
	}
	for _, test := range tests {
		t.Run(test.name+"="+test.value, func(t *testing.T) {
			t.Setenv(test.name, test.value)
			var vars env.Reader
			got := test.read(&vars)
			if test.err != "" {
				if vars.Err() == nil || vars.Err().Error() != test.err {
					t.Errorf("error %v, want %s", vars.Err(), test.err)
				}
				return
			}
			if vars.Err() != nil || got != test.want {
				t.Errorf("got %v, %v, want %v", got, vars.Err(), test.want)
			}
		})
	}
}

func TestFirstErrorStays(t *testing.T) {
	t.Setenv("FIRST", "x")
	t.Setenv("SECOND", "y")
	var vars env.Reader
	vars.Int("FIRST", 1, 1, 2)
	vars.Int("SECOND", 1, 1, 2)
	vars.RequiredURL("THIRD")
	if want := `FIRST="x": want a whole number from 1 to 2`; vars.Err() == nil || vars.Err().Error() != want {
		t.Errorf("error %v, want %s", vars.Err(), want)
	}
}

func TestRequiredURL(t *testing.T) {
	t.Setenv("THERE", "http://a")
	t.Setenv("EMPTY", "")
	var vars env.Reader
	if got := vars.RequiredURL("THERE"); got != "http://a" || vars.Err() != nil {
		t.Errorf("%q, %v for a variable that is set", got, vars.Err())
	}
	vars.RequiredURL("EMPTY")
	if vars.Err() == nil || vars.Err().Error() != "EMPTY is not set" {
		t.Errorf("error %v for an empty variable", vars.Err())
	}
}
