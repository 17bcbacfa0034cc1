package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"example.com/dice/shared/httptelemetry"
)

const (
	replyTimeout = 30 * time.Second
	arrival      = time.Second // all users start within this time
	pause        = time.Second // after a roll without a response, as a person would wait
	longestBody  = 1 << 20     // bytes
)

// user is a simulated person with their own browser.
type user struct {
	label  string
	target string
	rolls  int
	delay  time.Duration // before the first roll
	choice *rand.Rand
	client *http.Client
}

// reply is what a user got for a roll. Its status is 0 if there was no response.
type reply struct {
	status   int
	duration time.Duration
}

// newUsers creates the users. With the same seed, each of them makes the same choices.
func newUsers(cfg config) []*user {
	connections := http.DefaultTransport.(*http.Transport).Clone()
	connections.MaxIdleConns = 0 // no limit except the next one
	connections.MaxIdleConnsPerHost = cfg.users

	users := make([]*user, cfg.users)
	for i := range users {
		label := fmt.Sprintf("User %d", i+1)
		choice := rand.New(rand.NewPCG(cfg.seed, uint64(i)))
		users[i] = &user{
			label:  label,
			target: cfg.target,
			rolls:  1 + choice.IntN(cfg.maxRollsPerUser),
			delay:  time.Duration(choice.Int64N(int64(arrival))),
			choice: choice,
			client: &http.Client{Transport: traced(connections, "/roll", label), Timeout: replyTimeout},
		}
	}
	return users
}

// traced creates a client span and records a duration for every request to one route, and sends the trace context in the
// headers. The route is a constant: if span names contained IDs from the path, there would be as many names as IDs.
func traced(transport http.RoundTripper, route, label string) http.RoundTripper {
	return otelhttp.NewTransport(httptelemetry.Client(transport),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.Method + " " + route }),
		otelhttp.WithSpanOptions(trace.WithAttributes(semconv.URLTemplate(route), attribute.String("traffic.user", label))),
	)
}

func totalRolls(users []*user) int {
	total := 0
	for _, u := range users {
		total += u.rolls
	}
	return total
}

// play rolls one die after the other and passes each reply to done. It stops early if ctx is canceled.
//
// Users do not all start at the same time. Otherwise they would share one DNS lookup and all connect to the same
// instance of the target.
func (u *user) play(ctx context.Context, done func(reply)) {
	sleep(ctx, u.delay)
	for range u.rolls {
		start := time.Now()
		status, err := u.roll(ctx, u.pick())
		if ctx.Err() != nil {
			return
		}
		done(reply{status: status, duration: time.Since(start)})
		if err != nil {
			slog.ErrorContext(ctx, "no response", "traffic.user", u.label, "error", err)
			sleep(ctx, pause)
		}
	}
	slog.InfoContext(ctx, "user finished its last roll", "traffic.user", u.label, "rolls", u.rolls)
}

func (u *user) pick() string {
	if u.choice.IntN(2) == 0 {
		return "fair"
	}
	return "risky"
}

// roll asks for one roll and returns the response's status. An error means that the response was incomplete.
func (u *user) roll(ctx context.Context, die string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.target+"/roll?die="+die, nil)
	if err != nil {
		return 0, err
	}
	response, err := u.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, longestBody)); err != nil {
		return 0, fmt.Errorf("reading the response: %w", err)
	}
	return response.StatusCode, nil
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
