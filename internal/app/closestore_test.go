package app

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/internal/journal/store"
)

func TestStoreThatCannotBeClosedDoesNotHoldUpTheEnd(t *testing.T) {
	s, err := store.Open(store.Options{Path: t.TempDir(), Metrics: metrics.NewSet(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit([]store.Put{{Key: "k", Value: []byte("v")}}, nil, 0); err != nil {
		t.Fatal(err)
	}
	// As a commit to a disk that hangs would keep the store.
	busy, over, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Values(func(string, []byte) error { close(busy); <-over; return nil })
	}()
	<-busy
	a := &App{store: s, opts: &Options{Storage: StorageOptions{Path: "data"}}}
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.closeStore(late); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want that time was up", err)
	}
	close(over)
	<-ended
	if err := a.closeStore(t.Context()); err != nil {
		t.Errorf("when the disk was back: %v", err)
	}
}
