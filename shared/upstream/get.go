package upstream

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

const longestReply = 64 << 10 // bytes

// Connections returns a transport that keeps up to 100 idle connections to a service. With the default of 2, a busy
// service would open a new connection for most of its calls.
func Connections() http.RoundTripper {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 100
	return transport
}

// Get returns the reply to a GET request, whatever its status. Of a longer body it returns the first 64 KiB.
// Its error means that there was no whole reply; [Explain] says why.
func Get(ctx context.Context, client *http.Client, url string) (status int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, longestReply))
	if err != nil {
		return 0, nil, fmt.Errorf("reading the reply: %w", err)
	}
	return response.StatusCode, body, nil
}

// GetJSON decodes the reply to a GET request. If its status is not 200, the error is a [StatusError]. With any error, reply stays
// as it was.
func GetJSON[T any](ctx context.Context, client *http.Client, url string, reply *T) error {
	status, body, err := Get(ctx, client, url)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		var failure struct{ Error string }
		_ = json.Unmarshal(body, &failure) // what is not JSON has no message for us
		return StatusError{Status: status, Message: failure.Error}
	}
	var decoded T // apart, since Unmarshal fills in what comes before a mistake
	if err := json.Unmarshal(body, &decoded); err != nil {
		return fmt.Errorf("decoding the reply: %w", err)
	}
	*reply = decoded
	return nil
}

// StatusError is a reply with another status than 200, and what it says under "error".
type StatusError struct {
	Status  int
	Message string
}

func (e StatusError) Error() string {
	return fmt.Sprintf("the reply is %d %s: %s", e.Status, http.StatusText(e.Status), e.Message)
}
