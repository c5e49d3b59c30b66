package store

import "log/slog"

// health tells of the times at which something does not work: once when one
// begins, and once when it ends.
type health struct {
	metrics *storeMetrics
	log     *slog.Logger

	failures int  // commits in a row that failed
	refusing bool // the last commit was too large
	full     bool // rows are dropped
	dropped  int  // samples since full began
}

func (h *health) failed(err error) {
	h.metrics.commit.errors.Inc()
	h.metrics.degraded.Set(1)
	if h.failures++; h.failures == 1 {
		h.log.Error("journal cannot be written, a crash would lose what is in memory", "error", err)
	}
}

// refused says that a commit was too large. Nothing is wrong with the disk.
func (h *health) refused(err error) {
	h.metrics.commit.errors.Inc()
	if !h.refusing {
		h.log.Error("too much for the journal at once, a crash would lose it", "error", err)
	}
	h.refusing = true
}

func (h *health) succeeded() {
	if h.failures > 0 {
		h.log.Info("journal is written again", "failed_commits", h.failures)
	}
	h.failures, h.refusing = 0, false
	h.metrics.degraded.Set(0)
}

// dropping says that samples have been dropped from a folder of so many bytes, of
// which live are values.
func (h *health) dropping(samples int, bytes, live int64) {
	h.dropped += samples
	if !h.full {
		h.log.Warn("journal is full, its oldest results are dropped", "bytes", bytes, "state_bytes", live)
	}
	h.full = true
}

func (h *health) roomy() {
	h.log.Info("journal has room again", "dropped_samples", h.dropped)
	h.full, h.dropped = false, 0
}
