// Package deadline ends waits on time.
package deadline

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// grace is for what a call does when its context ends, such as ending its span before its caller's.
const grace = 100 * time.Millisecond

// Within returns what call returns, whose context ends after the limit. A call that takes no notice of that is waited for no
// longer than 100 ms: then Within returns the error of the context, the call goes on by itself, and what it returns is lost.
//
// A panic of call becomes one of Within, with the stack of call, so that whoever recovers from it can.
func Within[T any](ctx context.Context, limit time.Duration, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	type result struct {
		value    T
		err      error
		panicked error
	}
	returned := make(chan result, 1) // with room, so that the goroutine ends even if nobody waits
	go func() {
		var r result
		defer func() {
			if reason := recover(); reason != nil {
				r.panicked = fmt.Errorf("%v\n%s", reason, debug.Stack())
			}
			returned <- r
		}()
		r.value, r.err = call(ctx)
	}()
	var last <-chan time.Time
	for done := ctx.Done(); ; {
		select {
		case r := <-returned:
			if r.panicked != nil {
				panic(r.panicked)
			}
			return r.value, r.err
		case <-done:
			done, last = nil, time.After(grace)
		case <-last:
			var none T
			return none, ctx.Err()
		}
	}
}
