package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// signals turns the signals of the process into a context and a channel. Signals
// that arrive before anyone looks are kept.
type signals struct {
	ctx    context.Context // cancelled by the first SIGTERM or SIGINT
	reload <-chan struct{} // one value for any number of SIGHUPs that nobody took

	stop func() // gives the signals back to the runtime; returns when that is done
}

// catchSignals starts to listen. The second SIGTERM or SIGINT calls exit, for
// when stopping takes too long.
func catchSignals(exit func(code int)) *signals {
	ctx, cancel := context.WithCancel(context.Background())
	reload := make(chan struct{}, 1)
	hangup := make(chan os.Signal, 1)
	terminate := make(chan os.Signal, 2)
	signal.Notify(hangup, syscall.SIGHUP)
	signal.Notify(terminate, syscall.SIGTERM, syscall.SIGINT)

	quit := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-hangup:
				select {
				case reload <- struct{}{}:
				default: // one is waiting already
				}
			case <-terminate:
				if ctx.Err() != nil {
					exit(exitFailure)
				}
				cancel()
			case <-quit:
				return
			}
		}
	}()
	stop := func() {
		signal.Stop(hangup)
		signal.Stop(terminate)
		close(quit)
		<-done
		cancel()
	}
	return &signals{ctx: ctx, reload: reload, stop: stop}
}
