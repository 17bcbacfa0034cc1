package stages

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/dice/observability/internal/compose"
)

// services builds the services of each stage once for all tests.
var services builder

type builder struct {
	directory string
	mu        sync.Mutex
	built     map[string]func() error // by stage
}

// build returns the programs of a stage's services that listen, by name.
func (b *builder) build(t *testing.T, stage *compose.Stage) map[string]string {
	t.Helper()
	directory := filepath.Join(b.directory, stage.Name)
	programs := make(map[string]string)
	arguments := []string{"build", "-ldflags=-s -w", "-o", directory + "/"}
	for _, service := range stage.Services {
		if service.Name != compose.Traffic {
			programs[service.Name] = filepath.Join(directory, service.Name)
			arguments = append(arguments, "./"+service.Name)
		}
	}
	b.mu.Lock()
	if b.built == nil {
		b.built = make(map[string]func() error)
	}
	if b.built[stage.Name] == nil {
		b.built[stage.Name] = sync.OnceValue(func() error { return goBuild(stage.Dir, arguments) })
	}
	build := b.built[stage.Name]
	b.mu.Unlock()
	if err := build(); err != nil {
		t.Fatalf("building %s: %v", stage.Name, err)
	}
	return programs
}

func goBuild(directory string, arguments []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), runTimeout) // of no test: others wait for it too
	defer cancel()
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Dir = directory
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	return nil
}

// service is one service of a stage as a process. Its log records and its spans go to its standard output.
type service struct {
	url string

	mu      sync.Mutex
	records []logRecord
	spans   []span
}

type logRecord struct {
	Level, Msg, Address string
	Trace               string `json:"trace_id"`
}

// What an exporter to the console calls kinds and statuses.
const (
	server = 2
	client = 3

	unset   = "Unset"
	failure = "Error"
)

type span struct {
	Name                string
	SpanContext, Parent struct{ TraceID, SpanID string }
	SpanKind            int
	Status              struct{ Code string }
	Attributes          []struct {
		Key   string
		Value struct{ Value any }
	}
}

// attribute returns the value of an attribute, or nothing.
func (s span) attribute(key string) string {
	for _, attribute := range s.Attributes {
		if attribute.Key == key {
			return fmt.Sprint(attribute.Value.Value)
		}
	}
	return ""
}

// startService starts a service on a free port. It stops at the end of the test, and must exit with code 0.
func startService(t *testing.T, program string, settings ...string) *service {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), runTimeout) // for all that is done with the service
	process := exec.CommandContext(ctx, program)
	process.Env = slices.Concat(withoutTelemetry(os.Environ()), []string{"ADDR=127.0.0.1:0", "OTEL_TRACES_EXPORTER=console", "OTEL_BSP_SCHEDULE_DELAY=10"}, settings)
	process.Stderr = os.Stderr
	stdout, err := process.StdoutPipe()
	if err == nil {
		err = process.Start()
	}
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	s, listening, ended := new(service), make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		s.read(stdout, listening)
	}()
	t.Cleanup(func() {
		defer cancel()
		if err := process.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		<-ended // Wait closes the pipe
		if err := process.Wait(); err != nil {
			t.Errorf("exit of %s: %v", filepath.Base(program), err)
		}
	})
	select {
	case address := <-listening:
		s.url = "http://" + address
	case <-ended:
		t.Fatalf("%s does not listen", filepath.Base(program))
	}
	return s
}

// read keeps what the service says, to the end of it. It sends the address that the service listens on.
func (s *service) read(stdout io.Reader, listening chan<- string) {
	for lines := bufio.NewReader(stdout); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var record logRecord
		if json.Unmarshal(line, &record) == nil && record.Msg != "" {
			if record.Msg == "listening" {
				listening <- record.Address
			}
			s.mu.Lock()
			s.records = append(s.records, record)
			s.mu.Unlock()
			continue
		}
		var ended span
		if json.Unmarshal(line, &ended) == nil {
			s.mu.Lock()
			s.spans = append(s.spans, ended)
			s.mu.Unlock()
		}
	}
}

// trace waits until the service has ended its work for a request, and returns all that it said of it: its log records,
// "INFO run", and its spans in the order of their ends. The last is that of the request.
func (s *service) trace(t *testing.T, id string) (records []string, spans []span) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		s.mu.Lock()
		spans = slices.DeleteFunc(slices.Clone(s.spans), func(span span) bool { return span.SpanContext.TraceID != id })
		if len(spans) > 0 && spans[len(spans)-1].SpanKind == server {
			for _, record := range s.records {
				if record.Trace == id {
					records = append(records, record.Level+" "+record.Msg)
				}
			}
			s.mu.Unlock()
			return records, spans
		}
		s.mu.Unlock()
	}
	t.Fatalf("no span of the request %s within a minute: %v", id, spans)
	return nil, nil
}

// ended returns how many spans have ended.
func (s *service) ended() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.spans)
}

// wantRecord wants one log record of a request.
func (s *service) wantRecord(t *testing.T, id, want string) {
	t.Helper()
	if records, _ := s.trace(t, id); len(records) != 1 || records[0] != want {
		t.Errorf("log records %q, want %q", records, want)
	}
}

// wantRetry wants two attempts to look dice up, side by side below the span of the request, all failed.
func (s *service) wantRetry(t *testing.T, id string) {
	t.Helper()
	_, spans := s.trace(t, id)
	request := spans[len(spans)-1]
	attempts := slices.DeleteFunc(spans, func(span span) bool { return span.SpanKind != client })
	if len(attempts) != 2 || request.Status.Code != failure {
		t.Fatalf("spans %+v, want two attempts and a request that failed", attempts)
	}
	for i, attempt := range attempts {
		if attempt.Name != "GET /dice" || attempt.Status.Code != failure || attempt.Parent.SpanID != request.SpanContext.SpanID {
			t.Errorf("attempt %+v, want GET /dice below %s, failed", attempt, request.Name)
		}
		if count, want := attempt.attribute("http.request.resend_count"), strings.Repeat("1", i); count != want {
			t.Errorf("attempt %d has http.request.resend_count %q, want %q", i+1, count, want)
		}
	}
}
