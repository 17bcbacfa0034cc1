package otlp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// Protocol is what a server accepts.
type Protocol int

// GRPC and HTTP refuse the other protocol, as a collector's ports do. Either accepts both on one port, so that an exporter which
// was chosen in code works with it.
const (
	GRPC Protocol = iota
	HTTP
	Either
)

// firstBytes is how long a client may take to send its first bytes, from which a server knows the protocol.
const firstBytes = 10 * time.Second

// atOnce limits the messages that are decoded at the same time, and with that the memory for them.
const atOnce = 4

// Server receives telemetry on one port.
type Server struct {
	protocol Protocol
	sink     Sink
	listener net.Listener
	other    string // where the other protocol is accepted, for messages
	decoding chan struct{}
	grpc     *grpc.Server
	http     *http.Server
	forGRPC  *queue
	forHTTP  *queue
	group    sync.WaitGroup
}

// Listen starts a server. Its address is host:port; port 0 is any free port. Messages about the wrong protocol name the port
// other, such as "port 4318".
func Listen(ctx context.Context, address string, protocol Protocol, other string, sink Sink) (*Server, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening for telemetry: %w", err)
	}
	s := &Server{
		protocol: protocol, sink: sink, listener: listener, other: other, decoding: make(chan struct{}, atOnce),
		forGRPC: newQueue(listener.Addr()), forHTTP: newQueue(listener.Addr()),
	}
	s.grpc = s.newGRPC()
	s.http = s.newHTTP()
	s.group.Go(func() { _ = s.grpc.Serve(s.forGRPC) }) // these three end with Close
	s.group.Go(func() { _ = s.http.Serve(s.forHTTP) })
	s.group.Go(s.accept)
	return s, nil
}

// Address is host:port.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Port is the number of the port.
func (s *Server) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// Close stops the server. It does not wait for requests in progress.
func (s *Server) Close() {
	_ = s.listener.Close()
	s.grpc.Stop()
	_ = s.http.Close()
	_ = s.forGRPC.Close()
	_ = s.forHTTP.Close()
	s.group.Wait()
}

func (s *Server) accept() {
	for {
		connection, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // such as too many open files
			time.Sleep(50 * time.Millisecond)
			continue
		}
		s.group.Go(func() { s.classify(connection) })
	}
}

// classify hands a connection to the server for its protocol, or closes it.
func (s *Server) classify(connection net.Conn) {
	reader := bufio.NewReader(connection)
	_ = connection.SetReadDeadline(time.Now().Add(firstBytes))
	first, err := reader.Peek(3)
	_ = connection.SetReadDeadline(time.Time{})
	switch {
	case err != nil: // closed again, as some health checks do
		_ = connection.Close()
	case first[0] == 0x16 && first[1] == 0x03: // the record that begins a TLS handshake, RFC 8446, section 5.1
		s.sink.Refused(refuse(WrongProtocol, "a TLS handshake came to %s, which has no TLS. The endpoint begins with https://, or the exporter's "+
			"insecure option is missing. Want http://%s", s.here(), s.Address()))
		_ = connection.Close()
	case string(first) == "PRI" && s.protocol != HTTP: // the preface of HTTP/2, RFC 9113, section 3.4
		s.forGRPC.put(&peeked{connection, reader})
	default:
		s.forHTTP.put(&peeked{connection, reader})
	}
}

// here names the port in messages.
func (s *Server) here() string {
	names := map[Protocol]string{GRPC: "the gRPC port", HTTP: "the HTTP port", Either: "port"}
	return fmt.Sprintf("%s %d", names[s.protocol], s.Port())
}

// decode limits how much is decoded at the same time.
func (s *Server) decode(do func()) {
	s.decoding <- struct{}{}
	defer func() { <-s.decoding }()
	do()
}

// peeked is a connection whose first bytes are in a buffer.
type peeked struct {
	net.Conn
	reader *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) { return p.reader.Read(b) }

// queue is a listener whose connections were accepted by another.
type queue struct {
	address     net.Addr
	connections chan net.Conn
	closed      chan struct{}
	once        sync.Once
}

func newQueue(address net.Addr) *queue {
	return &queue{address: address, connections: make(chan net.Conn), closed: make(chan struct{})}
}

func (q *queue) put(connection net.Conn) {
	select {
	case q.connections <- connection:
	case <-q.closed:
		_ = connection.Close()
	}
}

// Accept implements [net.Listener].
func (q *queue) Accept() (net.Conn, error) {
	select {
	case connection := <-q.connections:
		return connection, nil
	case <-q.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (q *queue) Close() error {
	q.once.Do(func() { close(q.closed) })
	return nil
}

// Addr implements [net.Listener].
func (q *queue) Addr() net.Addr { return q.address }
