// Package env reads a program's settings from environment variables.
package env

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// Reader reads variables one by one and keeps the first error. The zero value is ready to use.
// A variable that is unset or empty gets its default.
type Reader struct{ err error }

// Err returns the first error: one line with the variable's name, its value unless that may hold a secret, and what is allowed.
func (r *Reader) Err() error { return r.err }

// Addr reads the address that a server listens on, such as ":8080".
func (r *Reader) Addr(name, fallback string) string {
	return read(r, name, fallback, "an address to listen on, such as :8080", func(value string) (string, error) {
		return value, checkAddr(value)
	})
}

// String reads any text.
func (*Reader) String(name, fallback string) string { return cmp.Or(os.Getenv(name), fallback) }

// Duration reads a duration from 0 to most, such as "250ms".
func (r *Reader) Duration(name string, fallback, most time.Duration) time.Duration {
	want := fmt.Sprintf("a duration from 0s to %s, such as 250ms", most)
	return read(r, name, fallback, want, func(value string) (time.Duration, error) {
		d, err := time.ParseDuration(value)
		if err != nil {
			return 0, err
		}
		return d, within(d, 0, most)
	})
}

// Int reads a whole number from least to most.
func (r *Reader) Int(name string, fallback, least, most int) int {
	want := fmt.Sprintf("a whole number from %d to %d", least, most)
	return read(r, name, fallback, want, func(value string) (int, error) {
		n, err := strconv.Atoi(value)
		if err != nil {
			return 0, err
		}
		return n, within(n, least, most)
	})
}

// Float reads a number from least to most.
func (r *Reader) Float(name string, fallback, least, most float64) float64 {
	want := fmt.Sprintf("a number from %g to %g", least, most)
	return read(r, name, fallback, want, func(value string) (float64, error) {
		x, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, err
		}
		return x, within(x, least, most)
	})
}

// Uint64 reads an unsigned 64-bit integer.
func (r *Reader) Uint64(name string, fallback uint64) uint64 {
	return read(r, name, fallback, "a whole number from 0 to 18446744073709551615", func(value string) (uint64, error) {
		return strconv.ParseUint(value, 10, 64)
	})
}

// URL reads the base URL of an HTTP server, such as "http://localhost:8081". It drops a trailing slash, so that
// paths can be appended. A user and a password are not allowed, because URLs appear in logs, spans and links.
func (r *Reader) URL(name, fallback string) string {
	return read(r, name, fallback, "a URL such as http://localhost:8081, without user, password or query", func(value string) (string, error) {
		u, err := url.Parse(value)
		if err != nil {
			return "", err
		}
		if (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil || strings.ContainsAny(value, "?#") {
			return "", errNotAllowed
		}
		addr := u.Host
		if u.Port() == "" {
			addr = strings.TrimSuffix(addr, ":") + ":80"
		}
		return strings.TrimSuffix(value, "/"), checkAddr(addr)
	})
}

// RequiredURL is [Reader.URL] for a variable that must be set.
func (r *Reader) RequiredURL(name string) string {
	if r.err == nil && os.Getenv(name) == "" {
		r.err = fmt.Errorf("%s is not set", name)
	}
	return r.URL(name, "")
}

// checkAddr returns an error unless addr has a port and a host, which may be empty.
func checkAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err
}

var errNotAllowed = errors.New("not allowed")

func within[T int | float64 | time.Duration](value, least, most T) error {
	if value >= least && value <= most {
		return nil
	}
	return errNotAllowed // NaN ends here too
}

func read[T any](r *Reader, name string, fallback T, want string, parse func(string) (T, error)) T {
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	value, err := parse(text)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s%s: want %s", name, shown(text), want)
	}
	return value
}

// shown returns a bad value as it appears in the error: cut, and not at all if it may be a URL with a password or a query.
func shown(value string) string {
	if strings.ContainsAny(value, "@?") {
		return ""
	}
	return fmt.Sprintf("=%.200q", value)
}
