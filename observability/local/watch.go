package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	show "example.com/dice/observability/internal/report"
	"example.com/dice/observability/internal/store"
)

const poll = 200 * time.Millisecond

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
	follower := show.Follow(s)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(poll):
		}
		if all := follower.Completed(); len(all) > 0 {
			out.print(fmt.Sprintf("\n%s %s\n%s\n", show.Bold.Render("The first request"), show.Faint.Render(all[0].ID), all[0]))
			return
		}
	}
}

// watch prints each new trace once it is complete, until ctx is canceled.
func watch(ctx context.Context, s *store.Store, out io.Writer) {
	follower := show.Follow(s)
	follower.Skip()
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(poll):
		}
		for _, t := range follower.Completed() {
			fmt.Fprintf(out, "%s %s\n%s\n", show.Bold.Render("Your request"), show.Faint.Render(t.ID), t)
		}
	}
}
