package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"example.com/dice/observability/internal/sample"
)

// service is the variable that makes this binary behave as a program that doctor runs.
const service = "DOCTOR_TEST_SERVICE"

func TestMain(m *testing.M) {
	if kind := os.Getenv(service); kind != "" {
		os.Exit(serve(kind))
	}
	os.Exit(m.Run())
}

const shop = "resource service.name=shop service.version=v1 service.instance.id=a deployment.environment.name=test\nscope example.com/shop 1\n"

// serve sends a span as an exporter does, and returns the exit status.
func serve(kind string) int {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	export(os.Getenv(endpoint)+"/v1/traces", shop+"span internal work id=1 trace=1\nspan internal lost parent=9 local=true trace=2")
	fmt.Println("served", os.Getenv("OTEL_METRIC_EXPORT_INTERVAL"), os.Getenv("OTEL_SERVICE_NAME"))
	switch kind {
	case "fails":
		return 3
	case "waits":
		<-interrupts
		export(os.Getenv(endpoint)+"/v1/traces", shop+"span internal flushed id=2 trace=2")
	case "hangs":
		for range 2 {
			<-interrupts
		}
	}
	return 0
}

func export(url, text string) {
	body, err := ptraceotlp.NewExportRequestFromTraces(sample.Parse(text).Traces).MarshalProto()
	if err != nil {
		panic(err)
	}
	response, err := http.Post(url, "application/x-protobuf", bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	response.Body.Close()
}

// console is a buffer that is written and read at the same time.
type console struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.Write(p)
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.String()
}

// wait returns once the console has a text.
func (c *console) wait(t *testing.T, text string) {
	t.Helper()
	for range 3000 {
		if strings.Contains(c.String(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("no %q in\n%s", text, c)
}

// freePorts makes the usual ports free ones.
func freePorts(t *testing.T) {
	t.Helper()
	t.Setenv("OTLP_GRPC_PORT", "0")
	t.Setenv("OTLP_HTTP_PORT", "0")
}

// TestCommand runs programs that end in different ways.
func TestCommand(t *testing.T) {
	freePorts(t)
	t.Setenv("OTEL_SERVICE_NAME", "kept")
	t.Setenv(endpoint, "")
	for name, test := range map[string]struct {
		kind       string
		arguments  string
		interrupts int
		status     int
		out, errs  string
	}{
		"ends":             {"ends", "-fail-on error", 0, sick, "served 1100 kept|spans-lost|shop    │     2", ""},
		"fails":            {"fails", "", 0, broken, "shop", "exit status 3"},
		"waits":            {"waits", "", 1, sick, "to stop; press Ctrl-C to kill it|shop    │     3", ""},
		"waits for a time": {"waits", "-for 1s", 0, sick, "to stop; press Ctrl-C to kill it|shop    │     3", ""},
		"hangs":            {"hangs", "", 2, sick, "telemetry that it has not sent is lost|shop    │     2", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(service, test.kind)
			var out, errs console
			interrupts := make(chan os.Signal, 2)
			ended := make(chan int)
			go func() {
				ended <- run(interrupts, append(strings.Fields(test.arguments), "--", os.Args[0], "-x"), &out, &errs)
			}()
			out.wait(t, "served")
			for range test.interrupts {
				interrupts <- os.Interrupt
			}
			if status := <-ended; status != test.status {
				t.Errorf("exit status %d, want %d", status, test.status)
			}
			for want := range strings.SplitSeq(test.out, "|") {
				if !strings.Contains(out.String(), want) {
					t.Errorf("the output lacks %q:\n%s", want, &out)
				}
			}
			if !strings.Contains(errs.String(), test.errs) {
				t.Errorf("standard error lacks %q:\n%s", test.errs, &errs)
			}
		})
	}
}

// TestListen sends to the usual ports, to the right and to the wrong path.
func TestListen(t *testing.T) {
	freePorts(t)
	var out, errs console
	interrupts := make(chan os.Signal, 1)
	ended := make(chan int)
	go func() { ended <- run(interrupts, nil, &out, &errs) }()
	out.wait(t, "Ctrl-C")
	_, address, _ := strings.Cut(out.String(), endpoint+"=")
	address, _, _ = strings.Cut(address, " ")
	export(address+"/v1/traces", shop+"span server \"GET /a\" http.request.method=GET http.route=/a")
	export(address+"/", shop+"span server a")
	out.wait(t, "An exporter sends to the wrong place")
	out.wait(t, "shop: GET /a") // as a trace
	interrupts <- os.Interrupt
	if status := <-ended; status != sick || !strings.Contains(out.String(), "1 error") {
		t.Errorf("exit status %d, standard error %s, output\n%s", status, &errs, &out)
	}
}

// TestListenForATime wants the verdict that nothing arrived.
func TestListenForATime(t *testing.T) {
	freePorts(t)
	var out, errs console
	if status := run(nil, strings.Fields("-for 10ms -json"), &out, &errs); status != sick {
		t.Errorf("exit status %d, %s", status, &errs)
	}
	var verdict verdictJSON
	if err := json.Unmarshal([]byte(out.String()), &verdict); err != nil || verdict.Findings[0].Rule != "nothing-arrived" || !verdict.Failed {
		t.Errorf("error %v, verdict %+v", err, verdict)
	}
}

// write writes telemetry as the collector's file exporter does.
func write(t *testing.T, text string) (name string) {
	t.Helper()
	telemetry := sample.Parse(text)
	var content []byte
	for _, marshal := range []func() ([]byte, error){
		func() ([]byte, error) { return new(ptrace.JSONMarshaler).MarshalTraces(telemetry.Traces) },
		func() ([]byte, error) { return new(pmetric.JSONMarshaler).MarshalMetrics(telemetry.Metrics) },
		func() ([]byte, error) { return new(plog.JSONMarshaler).MarshalLogs(telemetry.Logs) },
	} {
		line, err := marshal()
		if err != nil {
			t.Fatal(err)
		}
		if string(line) != "{}" {
			content = append(append(content, line...), '\n')
		}
	}
	name = filepath.Join(t.TempDir(), "telemetry.jsonl")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestVerdict compares the verdict on a file with what it was, as text and as JSON. UPDATE=true writes it anew.
func TestVerdict(t *testing.T) {
	name := write(t, "resource service.name=shop\nscope example.com/shop 1\n"+
		`3 span server "/orders/{}" trace={} id={} http.request.method=GET http.response.status_code=200 user_id={}`+"\n"+
		`span client "GET /prices" trace=1 parent=1 server.address=prices url.full="https://prices/?access_token=0123456789abcdef"`+"\n"+
		"counter orders - 3\nlog info \"order placed\" trace=1 span=1")
	for file, arguments := range map[string]string{"verdict.txt": "", "verdict.json": "-json"} {
		var out, errs console
		if status := run(nil, append(strings.Fields(arguments), "-file", name), &out, &errs); status != sick {
			t.Errorf("exit status %d, %s", status, &errs)
		}
		golden := filepath.Join("testdata", file)
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(golden, []byte(out.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if out.String() != string(want) {
			t.Errorf("the verdict differs from %s:\n%s", golden, &out)
		}
	}
}

// TestFailOn wants the exit status to depend on the worst severity.
func TestFailOn(t *testing.T) {
	good := write(t, shop+"span server a")
	note := write(t, shop+"span internal a event=exception")
	warning := write(t, shop+"log unset a")
	for _, test := range []struct {
		file, failOn string
		status       int
	}{
		{good, "note", healthy}, {note, "note", sick}, {note, "warning", healthy}, {warning, "warning", sick}, {warning, "error", healthy}, {warning, "note", sick},
	} {
		if status := run(nil, []string{"-fail-on", test.failOn, "-file", test.file}, io.Discard, io.Discard); status != test.status {
			t.Errorf("-fail-on %s: exit status %d, want %d", test.failOn, status, test.status)
		}
	}
}

// TestNoVerdict wants one clear line, and the exit status for that.
func TestNoVerdict(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ port, arguments, want string }{
		"port taken":     {port, "", "port " + port + " (OTLP over HTTP) is in use: stop the program that uses it, or set OTLP_HTTP_PORT to another port"},
		"no port":        {"http", "", `OTLP_HTTP_PORT="http": want the number of a port, from 0 to 65535`},
		"severity":       {"0", "-fail-on fatal", `invalid value "fatal" for flag -fail-on: want error, warning or note`},
		"duration":       {"0", "-for 30", `invalid value "30" for flag -for: want a duration above 0, such as 30s or 2m`},
		"no duration":    {"0", "-for 0s", "want a duration above 0"},
		"no words":       {"0", "-json --", "there is no COMMAND after --"},
		"two inputs":     {"0", "-file x -- ls", "-file excludes -for and COMMAND"},
		"no file":        {"0", "-file /nowhere/x", "reading telemetry: open /nowhere/x: no such file or directory"},
		"no telemetry":   {"0", "-file " + empty, "no line is telemetry"},
		"no COMMAND":     {"0", "-- /nowhere/shop", "running COMMAND: fork/exec /nowhere/shop: no such file or directory"},
		"not in PATH":    {"0", "-- no-such-program", `running COMMAND: exec: "no-such-program": executable file not found in $PATH`},
		"unknown option": {"0", "-x", "flag provided but not defined: -x; doctor -h lists the options"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OTLP_GRPC_PORT", "0")
			t.Setenv("OTLP_HTTP_PORT", test.port)
			var out, errs console
			if status := run(nil, strings.Fields(test.arguments), &out, &errs); status != broken || !strings.Contains(errs.String(), test.want) {
				t.Errorf("exit status %d, standard error %s\nwant %s", status, &errs, test.want)
			}
			if strings.Contains(out.String(), "Findings") || strings.Count(errs.String(), "\n") != 1 {
				t.Errorf("there is a verdict, or more than a line:\n%s\n%s", &out, &errs)
			}
		})
	}
}

// TestCommandWithPortsTaken wants a program to be judged all the same.
func TestCommandWithPortsTaken(t *testing.T) {
	taken, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	t.Setenv("OTLP_GRPC_PORT", port)
	t.Setenv("OTLP_HTTP_PORT", port)
	t.Setenv(endpoint, "")
	t.Setenv(service, "ends")
	var out, errs console
	if status := run(nil, []string{"--", os.Args[0]}, &out, &errs); status != sick || !strings.Contains(out.String(), "port "+port+" (OTLP over gRPC) is not available") {
		t.Errorf("exit status %d, %s\n%s", status, &errs, &out)
	}
}
