package httpx

import (
	"time"

	"golang.org/x/sys/unix"
)

// newPoll returns a function that waits until a connection can be read, d has
// passed or a signal comes. It is for one connection.
func newPoll(d time.Duration) func(fd uintptr) {
	fds := make([]unix.PollFd, 1)
	return func(fd uintptr) {
		fds[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
		_, _ = unix.Poll(fds, int(d.Milliseconds()))
	}
}
