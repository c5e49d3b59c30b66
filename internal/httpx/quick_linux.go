package httpx

import (
	"time"

	"golang.org/x/sys/unix"
)

// newPoll returns a function that waits until a connection can be read, d has
// passed or a signal comes, and sets ready if it can be read. It is for one
// connection.
func newPoll(d time.Duration, ready *bool) func(fd uintptr) {
	fds := make([]unix.PollFd, 1)
	return func(fd uintptr) {
		fds[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
		n, err := unix.Poll(fds, int(d.Milliseconds()))
		*ready = n > 0 && err == nil
	}
}
