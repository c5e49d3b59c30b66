package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"

	"tocsin/cmd/tocsin-tool/internal/demo"
)

// defaultListen is where the daemon listens unless it is taken.
const defaultListen = "127.0.0.1:8880"

func runDemo(args []string, stdout io.Writer) error {
	fs := pflag.NewFlagSet("demo", pflag.ContinueOnError)
	o := demo.Options{Daemon: runDaemon, Out: stdout, Colour: isTerminal(stdout), Version: release}
	fs.DurationVar(&o.Duration, "duration", 0,
		"stop after this time; the exit code is 0 only if an alert fired and was resolved until then (0 runs until Ctrl-C)")
	fs.StringVar(&o.ListenAddr, "httpListenAddr", "",
		"where the daemon listens (default "+defaultListen+", or a free port if that is taken)")
	if err := parse(fs, args, stdout); err != nil {
		return err
	}
	if o.Duration < 0 {
		return fmt.Errorf("demo: -duration must not be negative: %w", errUsage)
	}
	if o.ListenAddr == "" && isFree(defaultListen) {
		o.ListenAddr = defaultListen
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	// A second Ctrl-C ends the process at once.
	context.AfterFunc(ctx, stop)
	reload, stopReload := reloads()
	defer stopReload()
	o.Reload = reload
	return demo.Run(ctx, o)
}

// reloads returns a channel that gets a value for SIGHUP; signals that come
// while one is waiting to be read are one.
func reloads() (_ <-chan struct{}, stop func()) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	var (
		reload = make(chan struct{}, 1)
		quit   = make(chan struct{})
		done   = make(chan struct{})
	)
	go func() {
		defer close(done)
		for {
			select {
			case <-quit:
				return
			case <-hup:
				select {
				case reload <- struct{}{}:
				default:
				}
			}
		}
	}()
	return reload, func() {
		signal.Stop(hup)
		close(quit)
		<-done
	}
}

// isFree reports whether addr can be listened on right now.
func isFree(addr string) bool {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	l.Close()
	return true
}

// isTerminal reports whether w is a terminal that wants colours.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
