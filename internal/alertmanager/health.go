package alertmanager

import (
	"log/slog"
	"sync"
	"time"
)

// refusalQuiet is how long a peer must have taken everything before another
// refusal is news. An alert it cannot take is sent, and refused, in every round.
const refusalQuiet = 15 * time.Minute

// health follows how a target is doing and logs when that changes, not each
// attempt.
type health struct {
	addr string
	log  *slog.Logger

	mu           sync.Mutex // guards the fields below
	failing      bool       // does not take what it is sent
	failingSince time.Time
	declinedAt   time.Time // when it last refused alerts for good
	lastError    string
	lastSuccess  time.Time
}

// delivered records that a batch was taken. While another lane fails, so does
// the target.
func (h *health) delivered(now time.Time, othersFail bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lastSuccess = now
	if !othersFail {
		h.recovered(now)
		h.lastError = ""
	}
}

// declined records that a batch is done with, though some of its alerts were
// refused.
func (h *health) declined(err error, now time.Time, othersFail bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lastError = err.Error()
	if !othersFail {
		h.recovered(now)
	}
	if now.Sub(h.declinedAt) > refusalQuiet {
		h.log.Warn("alertmanager refused alerts", "addr", h.addr, "error", h.lastError)
	}
	h.declinedAt = now
}

// failed records an attempt that will be repeated.
func (h *health) failed(err error, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lastError = err.Error()
	if !h.failing {
		h.failing, h.failingSince = true, now
		h.log.Warn("alertmanager does not take alerts, retrying", "addr", h.addr, "error", h.lastError)
	}
}

// noted records an error that a smaller batch may avoid.
func (h *health) noted(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lastError = err.Error()
}

func (h *health) recovered(now time.Time) {
	if h.failing {
		h.failing = false
		h.log.Info("alertmanager takes alerts again", "addr", h.addr, "failed_for", now.Sub(h.failingSince))
	}
}

// report returns the error of the last attempt, empty if it went well, and when
// one last did.
func (h *health) report() (lastError string, lastSuccess time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lastError, h.lastSuccess
}
