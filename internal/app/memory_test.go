package app

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestMemoryIsReleasedOnceAfterLargeRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var released atomic.Int64
		r := &releaser{release: func() { released.Add(1) }}
		for range 5 {
			r.settled(largeRound - 1)
		}
		time.Sleep(time.Minute)
		if n := released.Load(); n != 0 {
			t.Errorf("released %d times after small rounds", n)
		}
		for range 5 {
			r.settled(largeRound)
		}
		time.Sleep(time.Minute)
		if n := released.Load(); n != 1 {
			t.Errorf("released %d times after five large rounds, want once", n)
		}
		r.settled(largeRound)
		time.Sleep(time.Minute)
		if n := released.Load(); n != 2 {
			t.Errorf("released %d times, want again after another large round", n)
		}
	})
}
