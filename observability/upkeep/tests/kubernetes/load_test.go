//go:build e2e

package kubernetes

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/dice/observability/upkeep/internal/engine"
)

// dice is one press of the button Run, in a trace that the test began.
type dice struct {
	trace, parent string
	times         int
	status        int
	took          time.Duration
	err           error
}

func (d dice) String() string {
	return fmt.Sprintf("trace %s: status %d, %v", d.trace, d.status, d.err)
}

// user is somebody who is signed in.
type user struct {
	page   string
	client *http.Client
}

func signIn(t *testing.T, page string) user {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	u := user{page, &http.Client{Jar: jar, Timeout: time.Minute, Transport: http.DefaultTransport.(*http.Transport).Clone()}}
	response, err := u.client.PostForm(page+"/sign-in", url.Values{"name": {"Ada"}})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("sign-in: %s", response.Status)
	}
	return u
}

// run rolls the fair die, which never fails.
func (u user) run(times int) dice {
	d := dice{trace: randomHex(16), parent: randomHex(8), times: times}
	form := url.Values{"die": {"fair"}, "times": {strconv.Itoa(times)}}
	request, err := http.NewRequest(http.MethodPost, u.page+"/", strings.NewReader(form.Encode()))
	if err != nil {
		d.err = err
		return d
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Traceparent", "00-"+d.trace+"-"+d.parent+"-01")
	start := time.Now()
	response, err := u.client.Do(request)
	if err != nil {
		d.err = err
		return d
	}
	defer response.Body.Close()
	_, d.err = io.Copy(io.Discard, response.Body)
	d.status, d.took = response.StatusCode, time.Since(start)
	return d
}

func randomHex(bytes int) string {
	raw := make([]byte, bytes)
	_, _ = rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}

// load is users who run dice without a pause.
type load struct {
	stop  context.CancelFunc
	group sync.WaitGroup
	mu    sync.Mutex
	runs  []dice
}

func startLoad(t *testing.T, page string, users int) *load {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &load{stop: stop}
	for range users {
		u := signIn(t, page)
		l.group.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				l.add(u.run(1 + 4*(n%2)))
			}
		})
	}
	return l
}

func (l *load) add(d dice) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs = append(l.runs, d)
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.runs)
}

// wait waits for so many more runs.
func (l *load) wait(t *testing.T, more int) {
	t.Helper()
	want := l.count() + more
	eventually(t, "runs", func() error {
		if got := l.count(); got < want {
			return fmt.Errorf("%d of %d", got, want)
		}
		return nil
	})
}

// end lets runs under way finish, and returns all.
func (l *load) end() []dice {
	l.stop()
	l.group.Wait()
	return l.runs
}

// complete returns nil if the trace of a run has all its spans: those that each run has at least, and the parent of each.
func (d dice) complete(spans []engine.Span) error {
	want := map[string]int{
		"frontend SERVER": 1, "frontend CLIENT": 2,
		"roll SERVER": 1, "roll CLIENT": 1, "roll INTERNAL": d.times,
		"die SERVER": 2, "die CLIENT": 2, // its clients are queries of the database
	}
	ids := map[string]bool{d.parent: true}
	for _, s := range spans {
		ids[s.ID] = true
		want[s.Service+" "+strings.TrimPrefix(s.Kind, "SPAN_KIND_")]--
	}
	maps.DeleteFunc(want, func(_ string, missing int) bool { return missing <= 0 })
	if len(want) > 0 {
		return fmt.Errorf("missing spans %v", want)
	}
	for _, s := range spans {
		if !ids[s.Parent] {
			return fmt.Errorf("the parent of %s is missing", s.Name)
		}
	}
	return nil
}
