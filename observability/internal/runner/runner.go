// Package runner runs a stage as processes on this machine, without Docker: its services, and the real collector,
// which sends to a store in memory.
package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/process"
	"example.com/dice/observability/internal/store"
)

// quiet is how long nothing must have arrived for the store to count as complete. The collector buffers data for 200 ms.
const quiet = time.Second

// Runner is a running stage.
type Runner struct {
	Store *store.Store // telemetry from the collector

	stage     *compose.Stage
	directory string // of binaries, volumes and the collector's queue; removed by Stop
	receiver  *store.Receiver
	collector *process.Process
	services  []*process.Process // in the order in which they started
}

// Start builds a stage's services, and starts the collector and all services except the traffic generator. It calls
// report before each step. The program's main function must call collector.RunIfChild, and the caller must call
// [Runner.Stop] unless Start returns an error.
func Start(ctx context.Context, stage *compose.Stage, report func(doing string)) (_ *Runner, err error) {
	if err := checkPorts(ctx, stage); err != nil {
		return nil, err
	}
	if err := checkCompiler(ctx, stage); err != nil {
		return nil, err
	}
	r := &Runner{Store: new(store.Store), stage: stage}
	defer func() {
		if err != nil {
			_ = r.Stop() // err says what went wrong first
		}
	}()
	if r.directory, err = Temporary(ctx); err != nil {
		return nil, err
	}
	report("building " + stage.Name + " (the first time takes up to five minutes)")
	if err := build(ctx, stage, r.directory); err != nil {
		return nil, err
	}
	report("starting the collector")
	if err := r.startCollector(ctx); err != nil {
		return nil, err
	}
	for _, service := range stage.Services {
		if service.Name == compose.Traffic {
			continue
		}
		report(fmt.Sprintf("starting %s at %s", service.Name, stage.URL(service.Name)))
		if err := r.StartService(ctx, service.Name); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Temporary creates a directory for programs. Like the go command, it prefers the directory GOTMPDIR, for those whose TMPDIR is mounted
// with noexec.
func Temporary(ctx context.Context) (string, error) {
	parent, err := exec.CommandContext(ctx, "go", "env", "GOTMPDIR").Output()
	if err != nil {
		return "", fmt.Errorf("running go: %w", err)
	}
	directory, err := os.MkdirTemp(strings.TrimSpace(string(parent)), "dice-")
	if err != nil {
		return "", fmt.Errorf("creating a directory: %w", err)
	}
	return directory, nil
}

// StartService starts a service that is not running, and returns when it is ready.
func (r *Runner) StartService(ctx context.Context, name string) error {
	p, err := r.start(name, nil)
	if err != nil {
		return err
	}
	r.services = append(r.services, p)
	port := r.stage.Service(name).Port
	health := "http://" + port.Address() + "/healthz"
	err = p.WaitUntil(ctx, func(ctx context.Context) error { return checkHealth(ctx, health) })
	if err == nil || ctx.Err() != nil {
		return err
	}
	if isClosed(p.Done()) {
		// Another program may have taken the port in the meantime.
		if taken := checkPort(ctx, port); taken != nil {
			return taken
		}
	}
	return blame(name, err)
}

// start starts the process of a service. Its standard output also goes to lines, unless that is nil.
func (r *Runner) start(name string, lines io.Writer) (*process.Process, error) {
	service := r.stage.Service(name)
	if service == nil {
		return nil, fmt.Errorf("%s has no service %q", r.stage.Name, name)
	}
	volumes := filepath.Join(r.directory, "volumes")
	for _, volume := range service.Volumes {
		if err := os.MkdirAll(filepath.Join(volumes, volume), 0o700); err != nil {
			return nil, fmt.Errorf("creating a volume for %s: %w", name, err)
		}
	}
	// Without a context, which would kill it before it can flush.
	command := exec.CommandContext(context.Background(), executable(r.stage, r.directory, *service))
	command.Env = append(inherited(), environment(*service, volumes)...)
	command.Dir = r.stage.Dir
	return process.Start(name, command, lines)
}

func checkHealth(ctx context.Context, url string) error {
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

// StopService stops a service and waits until it has exited. It returns an error if the exit status is not 0.
func (r *Runner) StopService(name string) error {
	i := slices.IndexFunc(r.services, func(p *process.Process) bool { return p.Name == name })
	if i < 0 {
		return fmt.Errorf("%s is not running", name)
	}
	p := r.services[i]
	r.services = slices.Delete(r.services, i, i+1)
	return p.Stop()
}

// Traffic runs the traffic generator until it exits, or stops it when ctx ends. Its log lines go to lines. It returns a [ServiceError] if
// a service exits in the meantime, because the traffic generator goes on without it.
func (r *Runner) Traffic(ctx context.Context, lines io.Writer) error {
	p, err := r.start(compose.Traffic, lines)
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		return errors.Join(ctx.Err(), p.Stop())
	}
	for _, service := range r.services {
		if isClosed(service.Done()) {
			return blame(service.Name, service.Failure())
		}
	}
	if p.Failed() {
		return blame(p.Name, p.Failure())
	}
	return nil
}

func isClosed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// Output returns the end of a service's output, and the beginning of a panic, even after the service has exited.
func (r *Runner) Output(service string) string {
	for _, p := range r.services {
		if p.Name == service {
			return p.Output()
		}
	}
	return ""
}

// Stop stops the services, which flush their telemetry. It waits until the collector has sent everything, because the collector's
// queue is not kept, and stops the collector. After Stop, the store is complete.
func (r *Runner) Stop() error {
	var errs []error
	for _, p := range slices.Backward(r.services) {
		errs = append(errs, p.Stop())
	}
	if r.collector != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*quiet)
		r.Store.WaitUntilQuiet(ctx, quiet)
		cancel()
		errs = append(errs, r.collector.Stop())
	}
	if r.receiver != nil {
		r.receiver.Close()
	}
	if r.directory != "" {
		errs = append(errs, os.RemoveAll(r.directory))
	}
	return errors.Join(errs...)
}
