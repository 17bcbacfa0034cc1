package env_test

import (
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
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
		{"ADDR", ":8a", func(r *env.Reader) any { return r.Addr("ADDR", ":8080") }, nil, `ADDR=":8a": want an address to listen on, such as :8080`},
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
		{"URL", "http://a:", func(r *env.Reader) any { return r.URL("URL", "") }, "http://a:", ""},
		{"URL", "localhost:8081", func(r *env.Reader) any { return r.URL("URL", "") }, nil, `URL="localhost:8081": want a URL such as http://localhost:8081, without user, password or query`},
		{"URL", "http://", func(r *env.Reader) any { return r.URL("URL", "") }, nil, `URL="http://": want a URL such as http://localhost:8081, without user, password or query`},
		{"URL", "http://:8081", func(r *env.Reader) any { return r.URL("URL", "") }, nil, `URL="http://:8081": want a URL such as http://localhost:8081, without user, password or query`},
		{"URL", "http://a:65536", func(r *env.Reader) any { return r.URL("URL", "") }, nil, `URL="http://a:65536": want a URL such as http://localhost:8081, without user, password or query`},
		{"URL", "http://a?b=c", func(r *env.Reader) any { return r.URL("URL", "") }, nil, `URL: want a URL such as http://localhost:8081, without user, password or query`},
		{"URL", "http://a/#", func(r *env.Reader) any { return r.URL("URL", "") }, nil, `URL="http://a/#": want a URL such as http://localhost:8081, without user, password or query`},
		{"URL", "http://Ada:hunter2@a", func(r *env.Reader) any { return r.URL("URL", "") }, nil, `URL: want a URL such as http://localhost:8081, without user, password or query`},
		{"URL", "http://token@a", func(r *env.Reader) any { return r.URL("URL", "") }, nil, `URL: want a URL such as http://localhost:8081, without user, password or query`},
		{"URL", "http://Ada:hunter%zz2@a", func(r *env.Reader) any { return r.URL("URL", "") }, nil, `URL: want a URL such as http://localhost:8081, without user, password or query`},
		{"URL", "http://a b", func(r *env.Reader) any { return r.URL("URL", "") }, nil, `URL="http://a b": want a URL such as http://localhost:8081, without user, password or query`},
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

// FuzzReader wants from each method a value that the program can work with, or an error of one line that names the
// variable.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		"", "0", "-1", "99", "100", "1e1", "0x10", "NaN", "-Inf", "18446744073709551616", "250ms", "1m0.000000001s",
		":8080", "[::1]:0", ":65536", "http://a", "https://a.example:1/b/", "http://:80", "http://a?b#c", "http://a:99999", "http://[::1]", "http://]:0",
		"http://a/%zz", "http://a\nb", "\xff", "a\r\nb", " 1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if os.Setenv("TESTED", value) != nil {
			t.Skip("no environment can have it")
		}
		check(t, value, func(r *env.Reader) bool { return isAddr(r.Addr("TESTED", ":8080")) })
		check(t, value, func(r *env.Reader) bool { d := r.Duration("TESTED", 1, time.Minute); return d >= 0 && d <= time.Minute })
		check(t, value, func(r *env.Reader) bool { n := r.Int("TESTED", 10, 1, 99); return n >= 1 && n <= 99 })
		check(t, value, func(r *env.Reader) bool { x := r.Float("TESTED", 0.3, 0, 1); return x >= 0 && x <= 1 })
		check(t, value, func(r *env.Reader) bool { n := r.Uint64("TESTED", 7); return value == "" || value[0] != '-' || n == 0 })
		check(t, value, func(r *env.Reader) bool { return isServer(r.URL("TESTED", "http://localhost:8081")) })
		check(t, value, func(r *env.Reader) bool { return isServer(r.RequiredURL("TESTED")) })
	})
}

func check(t *testing.T, value string, good func(*env.Reader) bool) {
	t.Helper()
	var vars env.Reader
	ok := good(&vars)
	if err := vars.Err(); err == nil && !ok {
		t.Errorf("%q was taken", value)
	} else if err != nil && (!strings.HasPrefix(err.Error(), "TESTED") || strings.ContainsAny(err.Error(), "\r\n")) {
		t.Errorf("%q: error %q", value, err)
	}
}

func isAddr(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	number, notNumber := strconv.Atoi(port)
	return err == nil && notNumber == nil && number >= 0 && number <= 65535
}

// isServer reports whether one can call the server: a path can be added, and stays one.
func isServer(server string) bool {
	u, err := url.Parse(server + "/dice?identifier=fair")
	if err != nil || strings.ContainsAny(u.Host, "[]") != strings.Contains(u.Hostname(), ":") || (u.Port() != "" && !isAddr(u.Host)) {
		return false
	}
	return u.Hostname() != "" && strings.HasSuffix(u.Path, "/dice") && u.RawQuery == "identifier=fair"
}
