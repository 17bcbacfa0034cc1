package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.com/dice/observability/internal/store"
)

const startTimeout = 30 * time.Second

// Running is a stage whose services run.
type Running struct {
	Store *store.Store

	stage     *Stage
	directory string // of binaries, volumes and the collector's queue
	receiver  *store.Receiver
	processes []*process // in the order of their start
}

// waitUntilQuiet returns when nothing has arrived for longer than the collector holds data back, 200 ms.
func (r *Running) waitUntilQuiet() {
	const quiet, most = time.Second, 10 * time.Second
	time.Sleep(quiet) // from here on, what is quiet has nothing on its way
	for deadline := time.Now().Add(most); r.Store.Quiet() < quiet && time.Now().Before(deadline); {
		time.Sleep(quiet / 20)
	}
}

// Start builds the stage, and starts the collector and all services but the traffic generator. It calls report
// with what it does. Whoever calls it must call [Running.Stop], unless it returns an error.
func (s *Stage) Start(ctx context.Context, report func(doing string)) (_ *Running, err error) {
	if err := s.checkPorts(ctx); err != nil {
		return nil, err
	}
	if err := s.checkCompiler(ctx); err != nil {
		return nil, err
	}
	r := &Running{Store: new(store.Store), stage: s}
	defer func() {
		if err != nil {
			_ = r.Stop() // err says what went wrong first
		}
	}()
	if r.directory, err = os.MkdirTemp("", "dice-"); err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}

	report("building " + s.Name + " (the first time takes up to five minutes)")
	if err := r.build(ctx); err != nil {
		return nil, err
	}
	report("starting the collector")
	if err := r.startCollector(ctx); err != nil {
		return nil, err
	}
	for _, service := range s.Services {
		if service.Name == traffic {
			continue
		}
		report(fmt.Sprintf("starting %s at http://localhost:%s", service.Name, service.port.number))
		if err := r.startService(ctx, service); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// checkPorts finds out before the long work whether a port is taken.
func (s *Stage) checkPorts(ctx context.Context) error {
	users := map[string]port{"the collector, OTLP over gRPC": s.grpc, "the collector, OTLP over HTTP": s.http}
	for _, service := range s.Services {
		users[service.Name] = service.port
	}
	for user, port := range users {
		if port.number == "" {
			continue
		}
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:"+port.number)
		if err != nil {
			return fmt.Errorf("port %s of %s is taken: stop what uses it, or set %s to another port",
				port.number, user, port.variable)
		}
		if err := listener.Close(); err != nil {
			return fmt.Errorf("closing port %s: %w", port.number, err)
		}
	}
	return nil
}

// checkCompiler finds out before the long work whether there is a compiler for SQLite, which is written in C.
func (s *Stage) checkCompiler(ctx context.Context) error {
	module, err := os.ReadFile(filepath.Join(s.Dir, "go.mod"))
	if err != nil || !bytes.Contains(module, []byte("/go-sqlite3 ")) {
		return err
	}
	output, err := exec.CommandContext(ctx, "go", "env", "CC", "CGO_ENABLED").Output()
	if err != nil {
		return fmt.Errorf("asking for the C compiler: %w", err)
	}
	compiler, enabled, _ := strings.Cut(strings.TrimSpace(string(output)), "\n")
	program, _, _ := strings.Cut(compiler, " ")
	if _, err := exec.LookPath(program); err != nil || enabled != "1" {
		return fmt.Errorf("%s needs a C compiler (gcc or clang) and CGO_ENABLED=1 for SQLite: install one, or use Docker", s.Name)
	}
	return nil
}

func (r *Running) build(ctx context.Context) error {
	arguments := []string{"build", "-o", r.directory + string(filepath.Separator)}
	for _, service := range r.stage.Services {
		arguments = append(arguments, "./"+service.Name)
	}
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Dir = r.stage.Dir
	output, err := command.CombinedOutput()
	if ctx.Err() != nil {
		return fmt.Errorf("building %s: %w", r.stage.Name, ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("building %s: %w\n%s", r.stage.Name, err, output)
	}
	return nil
}

func (r *Running) startService(ctx context.Context, service Service) error {
	if err := r.makeVolumes(service); err != nil {
		return err
	}
	p, err := r.start(service.Name, r.command(service), nil)
	if err != nil {
		return err
	}
	return p.waitFor(ctx, func(ctx context.Context) error {
		return healthy(ctx, "http://127.0.0.1:"+service.port.number+"/healthz")
	})
}

func (r *Running) command(service Service) *exec.Cmd {
	command := processCommand(filepath.Join(r.directory, service.Name))
	command.Dir = r.stage.Dir
	command.Env = environ(r.variables(service)...)
	return command
}

func (r *Running) start(name string, command *exec.Cmd, lines io.Writer) (*process, error) {
	p, err := startProcess(name, command, lines)
	if err == nil {
		r.processes = append(r.processes, p)
	}
	return p, err
}

func healthy(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// waitFor polls ready until it returns nil. It fails if the process ends before.
func (p *process) waitFor(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return p.failure()
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w", p.name, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Traffic runs the traffic generator to its end, or to the end of ctx. Its log lines go to lines.
func (r *Running) Traffic(ctx context.Context, lines io.Writer) error {
	generator := r.stage.Services[len(r.stage.Services)-1]
	p, err := startProcess(generator.Name, r.command(generator), lines)
	if err != nil {
		return err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		return errors.Join(ctx.Err(), p.stop())
	}
	if p.err != nil {
		return p.failure()
	}
	return nil
}

// Stop stops everything: first the services, which flush what they have, then the collector. In between it
// waits until the collector has passed everything on: what it still has in its queue when it stops would be for
// its next start. After that the store has all there is.
func (r *Running) Stop() error {
	var errs []error
	for i, p := range slices.Backward(r.processes) {
		if i == 0 {
			r.waitUntilQuiet()
		}
		errs = append(errs, p.stop())
	}
	if r.receiver != nil {
		r.receiver.Close()
	}
	if r.directory != "" {
		errs = append(errs, os.RemoveAll(r.directory))
	}
	return errors.Join(errs...)
}
