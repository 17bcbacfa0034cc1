//go:build measurements

package stops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"time"
)

// requests are those that a client of a service sends in turn: method, path, and form.
var requests = map[string][]string{
	"roll":     {"GET /roll?die=fair", "GET /roll?die=risky", "GET /roll-async?die=fair&times=5"},
	"die":      {"GET /dice", "GET /dice?identifier=fair"},
	"frontend": {"GET /", "POST / die=fair&times=1", "POST / die=fair&times=3"},
}

const (
	signInFirst = "POST /sign-in name=Ada"
	betweenEach = 5 * time.Millisecond // of a client's requests
)

// call is a request of the load, and what came of it.
type call struct {
	service, request string
	trace, span      string // IDs, of this call alone
	begin, end       time.Time
	status           int   // 0 without a whole reply
	err              error // why there is none
}

// refused reports whether no connection came about.
func (c call) refused() bool {
	var operation *net.OpError
	return errors.As(c.err, &operation) && operation.Op == "dial"
}

// records is the number of log records that the service writes of a call that it replied to, usage records included.
func (c call) records() int {
	switch {
	case c.service == "roll", strings.Contains(c.request, "identifier="):
		return 1
	case strings.HasPrefix(c.request, http.MethodGet):
		return 0
	case c.status == http.StatusForbidden:
		return 1
	default:
		return 2 // one of them is of usage
	}
}

// load is clients of a service that send one request after the other.
type load struct {
	service string
	done    chan struct{}
	group   sync.WaitGroup

	mu      sync.Mutex
	calls   []call
	waiting int // clients that wait for a reply
}

func startLoad(ctx context.Context, service, url string, clients int) *load {
	l := &load{service: service, done: make(chan struct{})}
	for range clients {
		l.group.Go(func() { l.run(ctx, url) })
	}
	return l
}

// end lets the clients have the replies that they wait for, and returns all calls.
func (l *load) end() []call {
	close(l.done)
	l.group.Wait()
	return l.calls
}

// run sends requests as one client, on a connection of its own. A client of the frontend signs in whenever it has to: a
// restart ends all sessions.
func (l *load) run(ctx context.Context, url string) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // it has no options that could be wrong
	}
	client := &http.Client{Transport: transport, Jar: jar, Timeout: 30 * time.Second, CheckRedirect: noRedirect}

	turn, signedIn := 0, l.service != "frontend"
	for {
		request := signInFirst
		if signedIn {
			request = requests[l.service][turn%len(requests[l.service])]
			turn++
		}
		l.wait(1)
		c := send(ctx, client, call{service: l.service, request: request}, url)
		l.wait(-1)
		if l.service == "frontend" {
			signedIn = c.status != 0 && c.status != http.StatusForbidden
		}
		l.mu.Lock()
		l.calls = append(l.calls, c)
		l.mu.Unlock()
		select {
		case <-l.done:
			return
		case <-time.After(betweenEach):
		}
	}
}

func (l *load) wait(clients int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting += clients
}

// waitForReplies waits for more replies, and for a request under way: clients that go in step may all pause at once.
func (l *load) waitForReplies(ctx context.Context, more int) error {
	want := l.replies() + more
	return poll(ctx, fmt.Sprintf("%d replies of %s", more, l.service), func() bool {
		l.mu.Lock()
		underWay := l.waiting > 0
		l.mu.Unlock()
		return underWay && l.replies() >= want
	})
}

// replies returns how many calls had a whole reply.
func (l *load) replies() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	count := 0
	for _, c := range l.calls {
		if c.err == nil {
			count++
		}
	}
	return count
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// send sends a request with a trace ID of its own, and reads the reply to its end. Its body can be read but once, even if
// it is empty: that keeps net/http from sending a request again by itself when the server closes the connection.
func send(ctx context.Context, client *http.Client, c call, target string) call {
	c.trace = fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64()|1)
	c.span = fmt.Sprintf("%016x", rand.Uint64()|1)
	words := strings.SplitN(c.request+" ", " ", 3)
	c.begin = time.Now()
	c.status, c.err = func() (int, error) {
		request, err := http.NewRequestWithContext(ctx, words[0], target+words[1], io.NopCloser(strings.NewReader(strings.TrimSpace(words[2]))))
		if err != nil {
			return 0, err
		}
		request.Header.Set("Traceparent", "00-"+c.trace+"-"+c.span+"-01")
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := client.Do(request)
		if err != nil {
			return 0, err
		}
		defer response.Body.Close()
		_, err = io.Copy(io.Discard, response.Body)
		return response.StatusCode, err
	}()
	if c.err != nil {
		c.status = 0
	}
	c.end = time.Now()
	return c
}
