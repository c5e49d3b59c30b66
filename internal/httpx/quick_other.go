//go:build !linux

package httpx

import "time"

// newPoll returns nil: only on Linux is waiting in the kernel known to pay.
func newPoll(time.Duration, *bool) func(fd uintptr) { return nil }
