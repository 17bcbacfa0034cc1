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
	arrival      = time.Second // within which all users begin
	pause        = time.Second // after a roll without a reply, as a person would
	longestBody  = 1 << 20     // bytes
)

// user is a simulated person with a browser of its own.
type user struct {
	label  string
	target string
	rolls  int
	delay  time.Duration // before the first roll
	choice *rand.Rand
	client *http.Client
}

// reply is what a user got for a roll. Its status is 0 if the service did not reply.
type reply struct {
	status   int
	duration time.Duration
}

// newUsers makes the users of a run. The same seed gives each of them the same choices.
func newUsers(cfg config) []*user {
	connections := http.DefaultTransport.(*http.Transport).Clone()
	connections.MaxIdleConns = 0 // no limit but the next
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

// traced makes a client span and a duration for every request to one route, and passes the trace on in its headers. The
// route is a constant: if names of spans held the id in a path, there would be as many names as ids.
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

// play rolls one die after the other and hands each reply to done. It ends early if ctx does.
//
// Users do not begin all at once. Otherwise they would share one look-up of the target's name, and all talk to
// the same one of its instances.
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
			slog.ErrorContext(ctx, "no reply", "traffic.user", u.label, "error", err)
		}
		if err != nil || status > http.StatusInternalServerError {
			sleep(ctx, pause)
		}
	}
	slog.InfoContext(ctx, "user finished its last roll", "traffic.user", u.label, "rolls", u.rolls)
}

func (u *user) pick(dice []string) string { return dice[u.choice.IntN(len(dice))] }

// roll opens the page, chooses a die, presses Run, and returns the status in the output box. Its error means
// that there was no whole page, or not the one that was wanted.
func (u *user) roll(ctx context.Context) (int, error) {
	opened, err := u.load(ctx, http.MethodGet, nil)
	if err != nil {
		return 0, err
	}
	if len(opened.dice) == 0 {
		return opened.replyStatus() // the box says why
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
