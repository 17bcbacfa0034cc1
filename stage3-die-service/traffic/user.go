package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
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
			client: &http.Client{Transport: traced(connections, "/", label), Timeout: replyTimeout},
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
		status, err := u.roll(ctx)
		if ctx.Err() != nil {
			return
		}
		done(reply{status: status, duration: time.Since(start)})
		if err != nil {
			slog.ErrorContext(ctx, "no response", "traffic.user", u.label, "error", err)
		}
		if err != nil || status > http.StatusInternalServerError {
			sleep(ctx, pause)
		}
	}
	slog.InfoContext(ctx, "user finished its last roll", "traffic.user", u.label, "rolls", u.rolls)
}

func (u *user) pick(dice []string) string { return dice[u.choice.IntN(len(dice))] }

// roll opens the page, chooses a die, presses Run, and returns the status in the output box. An error means
// that the page was incomplete or a different one.
func (u *user) roll(ctx context.Context) (int, error) {
	opened, err := u.load(ctx, http.MethodGet, nil)
	if err != nil {
		return 0, err
	}
	if len(opened.dice) == 0 {
		return opened.replyStatus() // the output box gives the reason
	}
	shown, err := u.load(ctx, http.MethodPost, url.Values{"die": {u.pick(opened.dice)}})
	if err != nil {
		return 0, err
	}
	return shown.replyStatus()
}

// load gets the page, or posts its form.
func (u *user) load(ctx context.Context, method string, form url.Values) (page, error) {
	request, err := http.NewRequestWithContext(ctx, method, u.target+"/", strings.NewReader(form.Encode()))
	if err != nil {
		return page{}, err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := u.client.Do(request)
	if err != nil {
		return page{}, err
	}
	defer response.Body.Close()
	return readPage(response.StatusCode, io.LimitReader(response.Body, longestBody))
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
