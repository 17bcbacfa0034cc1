// Package program runs a program's main function and stops it on a signal.
package program

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Main calls run with a context that is canceled by Ctrl-C or SIGTERM. A second signal kills the program at once. If run
// returns an error, Main writes one line with the program's name and the error to stderr, and exits with status 1.
func Main(name string, run func(context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // restores the default behavior for the next signal
	err := run(ctx)
	stop()
	if err != nil {
		lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' })
		fmt.Fprintf(os.Stderr, "%s: %s\n", name, strings.Join(lines, "; "))
		os.Exit(1)
	}
}
