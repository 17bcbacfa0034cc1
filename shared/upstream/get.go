package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	longestBody = 64 << 10               // bytes
	dialTimeout = 500 * time.Millisecond // both attempts of a lookup, and its response, must fit into 2 s
)

// Connections returns a transport that keeps up to 100 idle connections to a service. With the default of 2, a busy
// service would open a new connection for most calls.
//
// Connecting takes half a second at most. With the default of 30 seconds, an address that does not answer would use up
// the time of the whole call, and leave none to [Retry].
func Connections() http.RoundTripper {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 100
	transport.DialContext = (&net.Dialer{Timeout: dialTimeout}).DialContext
	return transport
}

// Get returns the response to a GET request, whatever its status, with at most the first 64 KiB of the body.
// An error means that there was no complete response; [Explain] says why.
func Get(ctx context.Context, client *http.Client, url string) (status int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, withCause(err)
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, longestBody))
	if err != nil {
		return 0, nil, fmt.Errorf("reading the response: %w", timedOut(err))
	}
	return response.StatusCode, body, nil
}

// withCause returns an error of [http.Client] whose type is that of its cause, in log records as in the span of the call.
func withCause(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("%s %q: %w", failed.Op, failed.URL, timedOut(failed.Err))
	}
	return err
}

// timedOut returns [context.DeadlineExceeded] in place of the errors that [http.Client] has for its own timeout.
func timedOut(err error) error {
	if errors.Is(err, context.DeadlineExceeded) && !Unreachable(err) {
		return context.DeadlineExceeded
	}
	return err
}

// GetJSON decodes the response to a GET request into reply. If the status is not 200, the error is a [StatusError]. Any
// error leaves reply unchanged.
func GetJSON[T any](ctx context.Context, client *http.Client, url string, reply *T) error {
	status, body, err := Get(ctx, client, url)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		var failure struct{ Error string }
		_ = json.Unmarshal(body, &failure) // a body that is not JSON has no message
		return StatusError{Status: status, Message: failure.Error}
	}
	var decoded T // not reply itself, because Unmarshal fills in what comes before a mistake
	if err := json.Unmarshal(body, &decoded); err != nil {
		return fmt.Errorf("decoding the response: %w", err)
	}
	*reply = decoded
	return nil
}

// StatusError is a response with a status other than 200. Message is its "error" field.
type StatusError struct {
	Status  int
	Message string
}

// ErrorType returns the status, as error.type has it in spans and metrics.
func (e StatusError) ErrorType() string { return strconv.Itoa(e.Status) }

func (e StatusError) Error() string {
	return fmt.Sprintf("unexpected status %d %s: %s", e.Status, http.StatusText(e.Status), e.Message)
}
