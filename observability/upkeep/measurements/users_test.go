//go:build measurements

package measurements

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/dice/observability/upkeep/internal/stack"
)

// run is one press of the Run button as its user saw it.
type run struct {
	begin, end time.Time
	status     int // 0: no reply
}

// load is a number of users who run dice on the page, one after the other without a pause.
type load struct {
	stop context.CancelFunc

	mu      sync.Mutex
	runs    []run
	running sync.WaitGroup
}

// startLoad lets users run dice until the load is ended.
func startLoad(t *testing.T, users int) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{stop: cancel}
	t.Cleanup(func() { l.end() })
	for i := range users {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		transport := http.DefaultTransport.(*http.Transport).Clone()
		u := visitor{name: fmt.Sprintf("Visitor %d", i+1), client: &http.Client{Jar: jar, Transport: transport, Timeout: 2 * patience}}
		l.running.Go(func() {
			defer transport.CloseIdleConnections()
			u.play(ctx, l.add)
		})
	}
	return l
}

func (l *load) add(r run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs = append(l.runs, r)
}

// end lets the requests under way finish, and returns all runs.
func (l *load) end() []run {
	l.stop()
	l.running.Wait()
	return l.runs
}

// visitor is a user with a browser of its own.
type visitor struct {
	name   string
	client *http.Client
}

// play presses the button until ctx is done. It does not cut a request off.
func (v visitor) play(ctx context.Context, done func(run)) {
	for i := 0; ctx.Err() == nil; i++ {
		r := run{begin: time.Now()}
		r.status = v.post("/", url.Values{"die": {[]string{"fair", "risky"}[i%2]}, "times": {"1"}})
		r.end = time.Now()
		done(r)
		switch r.status {
		case 0: // as a person would
			wait(time.Second)
		case http.StatusForbidden: // in stages with a sign-in: at first, and after the frontend was restarted
			v.post("/sign-in", url.Values{"name": {v.name}})
		}
	}
}

// post returns the status of the reply, or 0 if there is none or it is cut off.
func (v visitor) post(path string, form url.Values) int {
	response, err := v.client.Post(stack.Frontend+path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0
	}
	return response.StatusCode
}
