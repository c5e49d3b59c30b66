package main

import (
	"syscall"
	"testing"
)

// send sends a signal to this process.
func send(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(syscall.Getpid(), sig); err != nil {
		t.Fatal(err)
	}
}

func TestEarlyHangupIsNotLost(t *testing.T) {
	caught := catchSignals(func(int) { t.Error("exit was called") })
	defer caught.stop()
	send(t, syscall.SIGHUP) // while nobody listens yet
	<-caught.reload
}

func TestHangupsCoalesce(t *testing.T) {
	caught := catchSignals(func(int) { t.Error("exit was called") })
	for range 100 {
		send(t, syscall.SIGHUP)
	}
	<-caught.reload
	caught.stop()
	// At most one arrived after the one that was taken.
	waiting := 0
	for range 2 {
		select {
		case <-caught.reload:
			waiting++
		default:
		}
	}
	if waiting > 1 {
		t.Errorf("%d reloads wait, want at most 1", waiting)
	}
}

func TestTerminationCancelsAndTheSecondExits(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		exited := make(chan int, 1)
		caught := catchSignals(func(code int) { exited <- code })
		send(t, sig)
		<-caught.ctx.Done()
		select {
		case <-exited:
			t.Errorf("the first %v exits", sig)
		default:
		}
		send(t, sig)
		if code := <-exited; code != exitFailure {
			t.Errorf("the second %v exits with %d, want %d", sig, code, exitFailure)
		}
		caught.stop()
	}
}
