package remotewrite

import (
	"log/slog"
	"strings"
	"sync"
	"time"

	"tocsin/rules"
)

// quiet is how long no row may be lost before a loss counts as over.
const quiet = time.Minute

// health tells the log when writing begins to fail or to lose samples and when
// that is over: one line for each change, however many blocks are concerned.
type health struct {
	log *slog.Logger

	mu      sync.Mutex // guards the fields below
	failing int        // shards whose last attempt failed
	since   time.Time  // when failing left 0
	refusal loss
	surplus loss
	excess  loss
}

// loss is a time during which rows of one kind are being lost.
type loss struct {
	began, last time.Time // began is zero while nothing is lost
	rows        int
}

// add reports whether the loss begins with these rows.
func (l *loss) add(now time.Time, rows int) bool {
	begins := l.began.IsZero()
	if begins {
		*l = loss{began: now}
	}
	l.last = now
	l.rows += rows
	return begins
}

// over reports whether the loss has ended, and starts afresh if it has.
func (l *loss) over(now time.Time) (ended loss, ok bool) {
	if l.began.IsZero() || now.Sub(l.last) < quiet {
		return loss{}, false
	}
	ended, *l = *l, loss{}
	return ended, true
}

// failed is told when a shard begins to fail.
func (h *health) failed(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failing++
	if h.failing == 1 {
		h.since = time.Now()
		h.log.Warn("remote write fails, samples are kept and sent again", "error", err)
	}
}

// recovered is told when a shard no longer fails.
func (h *health) recovered() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failing--
	if h.failing == 0 {
		h.log.Info("remote write works again", "after", time.Since(h.since))
	}
}

// fellBack is told when storage turns out not to understand what it was sent.
func (h *health) fellBack(p protocol) {
	h.log.Info("remote write falls back to another protocol", "protocol", p.String())
}

// refused is told of rows that storage does not want, and of the series if there
// is one row and it is known.
func (h *health) refused(rows int, series *rules.Series, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.refusal.add(time.Now(), rows) {
		return
	}
	facts := []any{"rows", rows, "error", err}
	if series != nil {
		facts = append(facts, "series", seriesText(series), "at", time.UnixMilli(series.T).UTC())
	}
	h.log.Error("remote write refuses samples, they are dropped", facts...)
}

// turnedAway is told of rows that were not let in, where nobody else is.
func (h *health) turnedAway(rows int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.excess.add(time.Now(), rows) {
		h.log.Error("remote write queue is full, new samples are dropped", "rows", rows, "error", err)
	}
}

// gaveUp is told of rows dropped to make room.
func (h *health) gaveUp(rows int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.surplus.add(time.Now(), rows) {
		h.log.Error("remote write queue is full, the oldest samples are dropped", "rows", rows)
	}
}

// accepted is told of each block that is written.
func (h *health) accepted() {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	for _, l := range []struct {
		loss *loss
		over string
	}{
		{&h.refusal, "remote write no longer refuses samples"},
		{&h.surplus, "remote write no longer drops the oldest samples"},
		{&h.excess, "remote write no longer drops new samples"},
	} {
		if ended, ok := l.loss.over(now); ok {
			h.log.Info(l.over, "rows", ended.rows, "since", ended.began)
		}
	}
}

// maxSeriesText is how many bytes of a series are told.
const maxSeriesText = 512

func seriesText(s *rules.Series) string {
	text := s.Full().String()
	if len(text) > maxSeriesText {
		text = strings.ToValidUTF8(text[:maxSeriesText], "") + "..."
	}
	return text
}
