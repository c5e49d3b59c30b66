package alertmanager

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/rules"
)

const (
	// gatherFor is how long a state waits for company, unless its batch is full
	// before: rules are evaluated one by one, and a request for each would cost
	// more than all the rest.
	gatherFor = 100 * time.Millisecond
	// retryMin and retryMax bound the pause between attempts. The longest is short
	// because a peer that recovers must learn the state of the world in seconds.
	retryMin = 500 * time.Millisecond
	retryMax = 5 * time.Second
	// resolvedRetention is how long a resolved state is kept for a peer that is
	// down, unless Options say otherwise: as long as Alertmanager, by default, remembers whom it told of what.
	// After that it has no one to tell that the alert is over.
	resolvedRetention = 120 * time.Hour
	// sweepEvery is the pause between searches of the whole queue for dead states.
	sweepEvery = time.Minute
)

// mailbox is the queue of one Alertmanager: anyone may put, one loop takes out.
type mailbox struct {
	metrics *targetMetrics
	full    int           // alerts that make a whole batch
	wake    chan struct{} // holds one token when the loop should look again

	mu      sync.Mutex // guards the fields below
	queue   *queue
	key     []byte // scratch for header keys
	closed  bool   // takes no more; what it holds is to be sent without delay
	sweptAt time.Time
}

// newMailbox returns the mailbox of the target that metrics call addr.
func newMailbox(addr string, full int) *mailbox {
	m := &mailbox{
		metrics: newTargetMetrics(addr), full: full,
		wake: make(chan struct{}, 1), queue: newQueue(),
	}
	m.metrics.observe(addr, m.len, m.oldest)
	return m
}

// put takes the alerts, at least one, and reports whether it did: a closed
// mailbox takes nothing.
func (m *mailbox) put(headers []config.Pair, alerts []rules.Alert, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.key = appendHeaderKey(m.key[:0], headers)
	superseded, at := 0, rules.InstantOf(now)
	lanes := len(m.queue.lanes)
	l := m.queue.lane(m.key, headers, now.Add(gatherFor))
	rouse := len(m.queue.lanes) > lanes
	for i := range alerts {
		if m.queue.put(l, stateOf(&alerts[i]), at) {
			superseded++
		}
	}
	m.metrics.superseded.Add(superseded)
	if !l.failing && l.len >= m.full && l.due.After(now) {
		l.due, rouse = now, true
	}
	if rouse {
		m.rouse()
	}
	return true
}

// rouse makes the loop look again.
func (m *mailbox) rouse() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// batch is what one request tells.
type batch struct {
	lane  *lane
	retry bool // the lane's last attempt failed
	sent  []sending
}

// take returns the batch that is due, of at most limit states, built in sent; or
// an empty one and when to ask again, which is never if that is zero. done
// reports that nothing is left nor ever will be.
func (m *mailbox) take(sent []sending, limit int, now time.Time) (b batch, again time.Time, done bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := rules.InstantOf(now)
	m.sweepDue(now)
	for {
		l := m.nextLane()
		switch {
		case l == nil:
			return batch{}, time.Time{}, m.closed
		case l.due.After(now):
			return batch{}, l.due, false
		}
		if got := m.queue.collect(sent, l, limit, at, m.metrics.bury); len(got) > 0 {
			return batch{lane: l, retry: l.failing, sent: got}, time.Time{}, false
		}
	}
}

// sweep removes dead states now and then, for a mailbox that nobody takes from.
func (m *mailbox) sweep(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweepDue(now)
}

// sweepDue does the same with the lock held.
func (m *mailbox) sweepDue(now time.Time) {
	if now.Sub(m.sweptAt) >= sweepEvery {
		m.sweptAt = now
		m.queue.sweep(rules.InstantOf(now), m.metrics.bury)
	}
}

// copyTo puts what m holds into the others as well, none of which is m. What
// another holds of the same alert gives way.
func (m *mailbox) copyTo(others []*mailbox, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.queue.lanes {
		states := m.queue.list(l)
		for _, o := range others {
			o.adopt(l.headers, states, now)
		}
	}
}

// moveTo is copyTo, but m holds nothing any more.
func (m *mailbox) moveTo(others []*mailbox, now time.Time) {
	m.copyTo(others, now)
	m.mu.Lock()
	defer m.mu.Unlock()
	retention := m.queue.retention
	m.queue = newQueue()
	m.queue.retention = retention
}

// adopt takes states that another mailbox held. They are due at once.
func (m *mailbox) adopt(headers []config.Pair, states []state, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.key = appendHeaderKey(m.key[:0], headers)
	l := m.queue.lane(m.key, headers, now)
	for i := range states {
		m.queue.put(l, states[i], rules.InstantOf(now))
	}
	m.rouse()
}

// nextLane returns the lane that is due first; among equals, the oldest.
func (m *mailbox) nextLane() *lane {
	var next *lane
	for _, l := range m.queue.lanes {
		if next == nil || l.due.Before(next.due) {
			next = l
		}
	}
	return next
}

// settled records that the peer is done with b: it accepted its states, or
// refused them for good.
func (m *mailbox) settled(b batch, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := rules.InstantOf(now)
	m.queue.settle(b.sent, at)
	l := b.lane
	l.succeeded(now)
	if l.len > 0 && l.len < m.full && !m.closed {
		// What came while the request was under way waits for company too.
		waited := at.Sub(m.queue.slots[l.first].since)
		l.due = now.Add(max(gatherFor-max(waited, 0), 0))
	}
}

// failed records that b is to be tried again, not before the pause the peer
// asked for.
func (m *mailbox) failed(b batch, asked time.Duration, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b.lane.postpone(now, asked, rand.Float64())
}

// failing reports whether the last attempt of any lane was in vain.
func (m *mailbox) failing() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.queue.lanes {
		if l.failing {
			return true
		}
	}
	return false
}

// close lets nothing more in and makes what is there due at once.
func (m *mailbox) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.hasten()
}

// resume makes everything due at once, for a new loop.
func (m *mailbox) resume() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hasten()
}

func (m *mailbox) hasten() {
	for _, l := range m.queue.lanes {
		l.due = time.Time{}
	}
	m.rouse()
}

// holds reports whether the state of the alert with these labels is unsent.
func (m *mailbox) holds(l labels.Labels) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.queue.index[l]
	return ok
}

// len returns the number of unsent states.
func (m *mailbox) len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.queue.len()
}

// oldest returns since when the state that waits longest has waited; unset when
// there is none.
func (m *mailbox) oldest() rules.Instant {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.queue.oldest()
}
