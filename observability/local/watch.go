package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"example.com/dice/observability/internal/store"
)

// showFirst prints the first whole trace as soon as it is there, and ends then, or with ctx.
func showFirst(ctx context.Context, s *store.Store, out *progress) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
		for _, t := range traces(s) {
			if t.whole() {
				out.print(fmt.Sprintf("\n%s %s\n%s\n", bold.Render("The first request"), faint.Render(t.id), t))
				return
			}
		}
	}
}

// watch prints each trace that arrives from now on, once it is complete, until ctx ends.
func watch(ctx context.Context, s *store.Store, out io.Writer) error {
	shown := make(map[string]bool)
	for _, t := range traces(s) {
		shown[t.id] = true
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
		if s.Quiet() < settled/2 {
			continue
		}
		for _, t := range traces(s) {
			if !shown[t.id] {
				shown[t.id] = true
				fmt.Fprintf(out, "%s %s\n%s\n", bold.Render("A request of yours"), faint.Render(t.id), t)
			}
		}
	}
}
