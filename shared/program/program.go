// Package program runs what a program does until a signal stops it.
package program

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Main calls run with a context that ends when the program is told to stop, by Ctrl-C or SIGTERM. A second signal ends
// the program at once. If run fails, Main writes one line with the program's name and the error to stderr, and exits
// with 1.
func Main(name string, run func(context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // then a signal does again what it does by default
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}
