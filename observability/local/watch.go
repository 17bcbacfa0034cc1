package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"example.com/dice/observability/internal/store"
)

// complete is how long after a trace's end all of it has arrived: services buffer spans for a second.
const complete = 2 * time.Second

// withFirst calls do, and prints the first complete trace that arrives in the meantime.
func withFirst(ctx context.Context, s *store.Store, out *progress, do func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() { showFirst(ctx, s, out) })
	err := do()
	cancel()
	group.Wait()
	return err
}

func showFirst(ctx context.Context, s *store.Store, out *progress) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
		if all := traces(s); len(all) > 0 && all[0].whole() {
			out.print(fmt.Sprintf("\n%s %s\n%s\n", bold.Render("The first request"), faint.Render(all[0].id), all[0]))
			return
		}
	}
}

// watch prints each new trace once it is complete, until ctx is canceled.
func watch(ctx context.Context, s *store.Store, out io.Writer) {
	shown := make(map[string]bool)
	for _, t := range traces(s) {
		shown[t.state()] = true
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
		for _, t := range traces(s) {
			if t.whole() && !shown[t.state()] {
				shown[t.state()] = true
				fmt.Fprintf(out, "%s %s\n%s\n", bold.Render("Your request"), faint.Render(t.id), t)
			}
		}
	}
}
