package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	// logRoom is how many bytes of log may wait for a reader.
	logRoom = 1 << 20
	// logFlush is how long the end of the process waits for a reader of the log.
	logFlush = time.Second
)

// asyncWriter writes to a pipe or file that may block, without ever making its
// callers wait: a full log pipe must stop neither alerts nor the process. What
// there is no room for is dropped, and a line says how much as soon as somebody
// reads again.
type asyncWriter struct {
	to io.Writer

	mu      sync.Mutex // guards the fields below
	wake    *sync.Cond
	waiting []byte
	dropped int // writes
	total   int // of dropped, ever
	closed  bool

	done chan struct{} // closed when everything is written
}

// newAsyncWriter starts to write to w; close ends it.
func newAsyncWriter(w io.Writer) *asyncWriter {
	a := &asyncWriter{to: w, done: make(chan struct{})}
	a.wake = sync.NewCond(&a.mu)
	go a.run()
	return a
}

// Write takes p, or drops it if too much waits already. It never fails.
func (a *asyncWriter) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || len(a.waiting)+len(p) > logRoom {
		a.dropped++
		a.total++
		return len(p), nil
	}
	a.waiting = append(a.waiting, p...)
	a.wake.Signal()
	return len(p), nil
}

func (a *asyncWriter) run() {
	defer close(a.done)
	for {
		text, ok := a.next()
		if !ok {
			return
		}
		// There is nobody to tell that the log cannot be written.
		_, _ = a.to.Write(text)
	}
}

// next returns what is to be written; false when there is nothing left and
// nothing to come.
func (a *asyncWriter) next() ([]byte, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.waiting) == 0 && a.dropped == 0 {
		if a.closed {
			return nil, false
		}
		a.wake.Wait()
	}
	text := a.waiting
	if a.dropped > 0 {
		text = fmt.Appendf(text, "%d log messages were dropped, nobody read them\n", a.dropped)
	}
	a.waiting, a.dropped = nil, 0
	return text, true
}

// lost returns how many writes were dropped.
func (a *asyncWriter) lost() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.total
}

// close writes what waits, as far as a second suffices for it.
func (a *asyncWriter) close() {
	a.mu.Lock()
	a.closed = true
	a.wake.Signal()
	a.mu.Unlock()
	select {
	case <-a.done:
	case <-time.After(logFlush):
	}
}
