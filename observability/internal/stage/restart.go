package stage

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// StopService asks a service to stop, waits until it has, and returns how long that took. Its error says how the
// service ended if not with the exit code 0.
func (r *Running) StopService(name string) (time.Duration, error) {
	i := slices.IndexFunc(r.processes, func(p *process) bool { return p.name == name })
	if i < 0 {
		return 0, fmt.Errorf("%s does not run", name)
	}
	p := r.processes[i]
	r.processes = slices.Delete(r.processes, i, i+1)
	begin := time.Now()
	err := p.stop()
	return time.Since(begin), err
}

// StartService starts a service that was stopped, and returns when it is ready.
func (r *Running) StartService(ctx context.Context, name string) error {
	i := slices.IndexFunc(r.stage.Services, func(s Service) bool { return s.Name == name })
	if i < 0 {
		return fmt.Errorf("%s has no service %q", r.stage.Name, name)
	}
	return r.startService(ctx, r.stage.Services[i])
}
