// Package response observes what a handler does with its [http.ResponseWriter].
package response

import (
	"bufio"
	"cmp"
	"io"
	"net"
	"net/http"
)

// Observed is a writer that knows how the response has begun.
type Observed struct {
	http.ResponseWriter
	// Status is 0 until the response begins. It is 101 if the handler has taken over the connection, whatever it then
	// sends.
	Status int

	other http.ResponseWriter
}

// Observe returns a writer to w. Only the status with which the response begins goes to w. Those that do not begin it go
// to other: informational ones (1xx), those that come too late, and invalid ones, for which net/http panics.
func Observe(w, other http.ResponseWriter) *Observed {
	return &Observed{ResponseWriter: w, other: other}
}

// Unwrap is for [http.ResponseController].
func (o *Observed) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// WriteHeader implements [http.ResponseWriter].
func (o *Observed) WriteHeader(status int) {
	begins := status == http.StatusSwitchingProtocols || status >= http.StatusOK && status <= 999
	if o.Status != 0 || !begins {
		o.other.WriteHeader(status)
		return
	}
	o.begin(status)
	o.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (o *Observed) Write(data []byte) (int, error) {
	o.begin(http.StatusOK)
	return o.ResponseWriter.Write(data)
}

// ReadFrom implements [io.ReaderFrom], which lets net/http copy files without reading them.
func (o *Observed) ReadFrom(source io.Reader) (int64, error) {
	o.begin(http.StatusOK)
	return io.Copy(o.ResponseWriter, source)
}

// Flush implements [http.Flusher].
func (o *Observed) Flush() { _ = o.FlushError() }

// FlushError is for [http.ResponseController].
func (o *Observed) FlushError() error {
	o.begin(http.StatusOK)
	return http.NewResponseController(o.ResponseWriter).Flush()
}

// Hijack implements [http.Hijacker].
func (o *Observed) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffer, err := http.NewResponseController(o.ResponseWriter).Hijack()
	if err == nil {
		o.begin(http.StatusSwitchingProtocols)
	}
	return conn, buffer, err
}

func (o *Observed) begin(status int) { o.Status = cmp.Or(o.Status, status) }
