package deadline_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/dice/shared/deadline"
)

func TestWithin(t *testing.T) {
	failure := errors.New("failure")
	tests := []struct {
		name   string
		takes  time.Duration
		heeds  bool // the end of its context
		cancel time.Duration
		want   string
		err    error
		waited time.Duration
	}{
		{"a little late", 1050 * time.Millisecond, false, 0, "value", nil, 1050 * time.Millisecond},
		{"in time", 999 * time.Millisecond, false, 0, "value", nil, 999 * time.Millisecond},
		{"failed", 10 * time.Millisecond, false, 0, "", failure, 10 * time.Millisecond},
		{"too slow", time.Minute, true, 0, "", context.DeadlineExceeded, time.Second},
		{"not to be stopped", time.Minute, false, 0, "", context.DeadlineExceeded, 1100 * time.Millisecond},
		{"canceled", time.Minute, true, 100 * time.Millisecond, "", context.Canceled, 100 * time.Millisecond},
		{"canceled, not to be stopped", time.Minute, false, 100 * time.Millisecond, "", context.Canceled, 200 * time.Millisecond},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // it wants all goroutines to end
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if test.cancel > 0 {
					time.AfterFunc(test.cancel, cancel)
				}
				start := time.Now()
				got, err := deadline.Within(ctx, time.Second, func(ctx context.Context) (string, error) {
					var done <-chan struct{}
					if test.heeds {
						done = ctx.Done()
					}
					select {
					case <-done:
						return "", ctx.Err()
					case <-time.After(test.takes):
						if test.err != nil {
							return "", test.err
						}
						return "value", nil
					}
				})
				if waited := time.Since(start); got != test.want || !errors.Is(err, test.err) || waited != test.waited {
					t.Errorf("%q, %v after %s, want %q, %v after %s", got, err, waited, test.want, test.err, test.waited)
				}
				time.Sleep(test.takes)
			})
		})
	}
}

func TestWithinPassesAPanicOn(t *testing.T) {
	defer func() {
		reason := fmt.Sprint(recover())
		if !strings.HasPrefix(reason, "out of range\n") || !strings.Contains(reason, "deadline_test.panics") {
			t.Errorf("recovered %s", reason)
		}
	}()
	_, err := deadline.Within(t.Context(), time.Minute, panics)
	t.Errorf("no panic, but error %v", err)
}

func panics(context.Context) (string, error) { panic("out of range") }
