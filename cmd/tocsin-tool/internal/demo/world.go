package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tocsin/cmd/tocsin-tool/internal/load"
	"tocsin/cmd/tocsin-tool/internal/memstore"
	"tocsin/cmd/tocsin-tool/internal/receiver"
)

const (
	// scrapeInterval is the time between two samples of a series.
	scrapeInterval = time.Second
	// startAge is the age at which the service is met: shortly before the first
	// thing goes wrong, so that nobody has to wait long.
	startAge = 12 * time.Second
	// closeTimeout bounds the wait for requests in flight at the end.
	closeTimeout = 5 * time.Second
)

// world is what surrounds the daemon: storage, series and receiver.
type world struct {
	storageURL, receiverURL string
	proof                   *proof

	closers []func() error // in the order of opening
}

// openWorld starts storage, series and receiver. dir must exist.
func openWorld(dir string, log *slog.Logger, scr *screen, proved func()) (_ *world, err error) {
	w := &world{proof: newProof(proved)}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()

	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o755); err != nil {
		return nil, fmt.Errorf("making the storage's directory: %w", err)
	}
	store, err := memstore.Open(memstore.Options{
		Dir: data, Lookback: 5 * time.Minute, QueryTimeout: 30 * time.Second, MaxSamples: 10_000_000,
		Log: log.With("part", "storage"),
	})
	if err != nil {
		return nil, err
	}
	w.closers = append(w.closers, store.Close)
	w.closers = append(w.closers, feed(store, log))

	if w.storageURL, err = w.serve("storage", store.Handler(), log); err != nil {
		return nil, err
	}
	recv := receiver.New(func(c receiver.Change) {
		scr.println(c.Line(scr.colour))
		w.proof.note(c)
	})
	if w.receiverURL, err = w.serve("receiver", recv.Handler(), log); err != nil {
		return nil, err
	}
	return w, nil
}

// close ends everything, last opened first, and waits for it.
func (w *world) close() error {
	var errs []error
	for len(w.closers) > 0 {
		last := len(w.closers) - 1
		errs = append(errs, w.closers[last]())
		w.closers = w.closers[:last]
	}
	return errors.Join(errs...)
}

// serve starts a server on a free loopback port and returns its address.
func (w *world) serve(name string, h http.Handler, log *slog.Logger) (url string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listening for the %s: %w", name, err)
	}
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("server stopped", "part", name, "err", err)
		}
	}()
	w.closers = append(w.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		err := srv.Shutdown(ctx)
		if err != nil {
			err = errors.Join(fmt.Errorf("stopping the %s: %w", name, err), srv.Close())
		}
		<-done
		return err
	})
	return "http://" + l.Addr().String(), nil
}

// feed writes the samples of a made-up service to store until the returned
// function is called, which waits for the end. The first are there on return.
func feed(store *memstore.Store, log *slog.Logger) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	service, start := load.New(), time.Now()
	scrape := func(at time.Time) {
		// A clock that is set back makes samples out of order; the next ones are not.
		if err := store.Append(ctx, service.Scrape(startAge+at.Sub(start), at)); err != nil && ctx.Err() == nil {
			log.Warn("samples lost", "err", err)
		}
	}
	scrape(start)
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(scrapeInterval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case at := <-tick.C:
				scrape(at)
			}
		}
	})
	return func() error { cancel(); wg.Wait(); return nil }
}

// freeAddr returns a loopback address that was free a moment ago.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}
