package httpx

import (
	"io"
	"net"
	"testing"
	"time"
)

// connected returns both ends of a TCP connection.
func connected(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if ours, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if theirs, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	return ours, theirs
}

// waitOn returns how answers are waited for on c, of at most two at a time.
func waitOn(t *testing.T, c net.Conn) *quickWait {
	t.Helper()
	q := (&quickWaits{most: 2}).on(&countedConn{Conn: c})
	if q == nil {
		t.Fatal("there is no waiting for answers")
	}
	return q
}

// Whatever ends the wait, it must not last as long as it may here.
func TestWaitInTheKernelEndsWithTheAnswer(t *testing.T) {
	for name, answer := range map[string]func(theirs net.Conn) error{
		"answer": func(c net.Conn) error { _, err := c.Write([]byte("x")); return err },
		"end":    func(c net.Conn) error { return c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := connected(t)
			q := waitOn(t, ours)
			q.poll = newPoll(time.Hour, &q.ready)
			ready := make(chan bool)
			go func() { ready <- q.await() }()
			if err := answer(theirs); err != nil {
				t.Fatal(err)
			}
			if !<-ready {
				t.Error("there is nothing to read")
			}
			if n, err := ours.Read(make([]byte, 1)); n == 0 && err != io.EOF {
				t.Errorf("then %d bytes and error %v are read", n, err)
			}
		})
	}
}

func TestWaitInTheKernelEndsWithoutAnAnswer(t *testing.T) {
	ours, _ := connected(t)
	q := waitOn(t, ours)
	if q.await() {
		t.Error("there is something to read on a connection where nothing was said")
	}
	q.ready = true
	ours.Close()
	if q.await() {
		t.Error("there is something to read on a closed connection")
	}
}

func TestThreadsWaitOnlyWhereItPays(t *testing.T) {
	ours, _ := connected(t)
	q := waitOn(t, ours)
	waited := 0
	q.poll = func(uintptr) { waited++ }
	for _, step := range []struct {
		name  string
		took  time.Duration // the last answer
		other int32         // threads that wait
		want  int
	}{
		{"first", 0, 0, 1},
		{"after a quick answer", patience, 1, 1},
		{"after a slow one", patience + 1, 0, 0},
		{"after a quick one again", 0, 0, 1},
		{"beside as many as may be", 0, 2, 0},
	} {
		waited = 0
		q.answered(step.took)
		q.waits.now.Store(step.other)
		q.await()
		if waited != step.want || q.waits.now.Load() != step.other {
			t.Errorf("%s: waited %d times, and then %d wait; want %d and %d", step.name, waited, q.waits.now.Load(), step.want, step.other)
		}
	}
}

func TestConnectionsWithoutADescriptorAreLeftToTheRuntime(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	q := (&quickWaits{most: 2}).on(a)
	if q != nil {
		t.Error("a thread would wait for an answer on a pipe")
	}
	q.await()
	q.answered(0)
	if (&quickWaits{}).on(a) != nil {
		t.Error("the only thread would wait")
	}
}
