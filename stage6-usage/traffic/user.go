package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
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
	name   string // to sign in with
	target string
	rolls  int
	delay  time.Duration // before the first roll
	choice *rand.Rand
	client *http.Client

	asyncShare float64
	maxTimes   int
}

// reply is what a user got for a roll. Its status is 0 if the service did not reply.
type reply struct {
	status   int
	dice     int // that the user asked for
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
		jar, err := cookiejar.New(nil)
		if err != nil {
			panic(fmt.Errorf("making a cookie jar: %w", err)) // it has no options that could be wrong
		}
		users[i] = &user{
			label:  label,
			name:   nameOf(i),
			target: cfg.target,
			rolls:  1 + choice.IntN(cfg.maxRollsPerUser),
			delay:  time.Duration(choice.Int64N(int64(arrival))),
			choice: choice,
			client: &http.Client{Transport: newRoutes(connections, label), Timeout: replyTimeout, Jar: jar},

			asyncShare: cfg.asyncShare,
			maxTimes:   cfg.maxTimesPerRoll,
		}
	}
	return users
}

// nameOf returns the name of the user i, a different one for each: Ada, Alan and so on, then Ada 2, Alan 2 and so on.
func nameOf(i int) string {
	names := []string{"Ada", "Alan", "Barbara", "Dennis", "Donald", "Edsger", "Frances", "Grace", "Katherine", "Ken", "Margaret", "Radia"}
	name := names[i%len(names)]
	if round := i/len(names) + 1; round > 1 {
		name += " " + strconv.Itoa(round)
	}
	return name
}

// routes is a transport with one of its own for each route of the page, also when a form redirects to another one.
type routes map[string]http.RoundTripper

func newRoutes(transport http.RoundTripper, label string) routes {
	all := make(routes)
	for _, route := range []string{"/", "/sign-in", "/sign-out"} {
		all[route] = traced(transport, route, label)
	}
	return all
}

func (t routes) RoundTrip(r *http.Request) (*http.Response, error) {
	next, ok := t[r.URL.Path]
	if !ok {
		return nil, fmt.Errorf("the page has no route %q", r.URL.Path)
	}
	return next.RoundTrip(r)
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
		status, dice, err := u.roll(ctx)
		if ctx.Err() != nil {
			return
		}
		done(reply{status: status, dice: dice, duration: time.Since(start)})
		if err != nil {
			slog.ErrorContext(ctx, "no reply", "traffic.user", u.label, "error", err)
		}
		if err != nil || status > http.StatusInternalServerError {
			sleep(ctx, pause)
		}
	}
	slog.InfoContext(ctx, "user finished its last roll", "traffic.user", u.label, "rolls", u.rolls)
	if _, err := u.load(ctx, http.MethodPost, "/sign-out", nil); err != nil && ctx.Err() == nil {
		slog.ErrorContext(ctx, "no reply", "traffic.user", u.label, "error", err)
	}
}

func (u *user) pick(dice []string) string { return dice[u.choice.IntN(len(dice))] }

// times returns the number of dice of a roll: one, or for a share of the rolls from two to maxTimes.
func (u *user) times() int {
	if u.choice.Float64() >= u.asyncShare {
		return 1
	}
	return 2 + u.choice.IntN(u.maxTimes-1)
}

// roll opens the page, chooses a die, presses Run, and returns the status in the output box, and how many dice it
// asked for. Its error means that there was no whole page, or not the one that was wanted.
// If the page asks for a name, because this is the first roll or the session is gone, the user signs in.
func (u *user) roll(ctx context.Context) (status, times int, err error) {
	opened, err := u.load(ctx, http.MethodGet, "/", nil)
	if err == nil && opened.signIn {
		opened, err = u.load(ctx, http.MethodPost, "/sign-in", url.Values{"name": {u.name}})
	}
	if err != nil {
		return 0, 0, err
	}
	if len(opened.dice) == 0 {
		status, err = opened.replyStatus() // the box says why
		return status, 0, err
	}
	choice := u.pick(opened.dice)
	times = u.times()
	shown, err := u.load(ctx, http.MethodPost, "/", url.Values{"die": {choice}, "times": {strconv.Itoa(times)}})
	if err != nil {
		return 0, times, err
	}
	status, err = shown.replyStatus()
	return status, times, err
}

// load gets the page, or posts one of its forms, and returns the page that follows.
func (u *user) load(ctx context.Context, method, path string, form url.Values) (page, error) {
	request, err := http.NewRequestWithContext(ctx, method, u.target+path, strings.NewReader(form.Encode()))
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
