package httpx

import (
	"net"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// Go parks a goroutine that waits for the network: its thread looks for other work,
// asks the kernel for events and sleeps, and is woken again with the runtime's
// monitor. Where answers come at once, that takes more CPU time than all else
// about a small question. So a thread first waits in the kernel for a moment.

// patience is how long a thread waits for an answer before it is left to the
// runtime; in whole milliseconds.
const patience = 2 * time.Millisecond

// quickWaits lets threads wait for the answers on the connections of one transport.
type quickWaits struct {
	most int32 // threads at a time; one is left for everything else
	now  atomic.Int32
}

func newQuickWaits() *quickWaits {
	return &quickWaits{most: int32(runtime.GOMAXPROCS(0)) - 1}
}

// quickWait waits for the answers on one connection.
type quickWait struct {
	waits *quickWaits
	raw   syscall.RawConn
	poll  func(fd uintptr) // waits, and sets ready
	ready bool             // there is something to read
	slow  bool             // the last answer took longer than patience, so the next may as well
}

// on returns how to wait for answers on c; nil if that is not possible.
func (w *quickWaits) on(c net.Conn) *quickWait {
	if counted, ok := c.(*countedConn); ok {
		c = counted.Conn
	}
	s, ok := c.(syscall.Conn)
	if !ok || w.most <= 0 {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	q := &quickWait{waits: w, raw: raw}
	if q.poll = newPoll(patience, &q.ready); q.poll == nil {
		return nil
	}
	return q
}

// await waits until there is something to read and returns true, or returns false when
// patience is at an end or it is not worth while. What cancels the request does not end
// it. Whatever is wrong with the connection shows when it is read.
func (q *quickWait) await() (ready bool) {
	if q == nil || q.slow {
		return false
	}
	q.ready = false
	defer q.waits.now.Add(-1)
	if q.waits.now.Add(1) <= q.waits.most {
		_ = q.raw.Control(q.poll)
	}
	return q.ready
}

// answered notes how long an answer took to begin.
func (q *quickWait) answered(took time.Duration) {
	if q != nil {
		q.slow = took > patience
	}
}
