package alertmanager

import (
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/rules"
)

// The queue uses label sets as map keys, which is right only for the
// implementation that keeps a set as one string. Two equal keys in this literal
// stop the build under any other.
var _ = map[bool]struct{}{false: {}, labels.ImplementationName == "stringlabels": {}}

// nowhere is the index of no slot.
const nowhere int32 = -1

// state is what one Alertmanager is to know of one alert.
type state struct {
	labels       labels.Labels
	annotations  labels.Labels
	generatorURL rules.Link
	startsAt     rules.Instant
	endsAt       rules.Instant
	resolved     bool
}

func stateOf(a *rules.Alert) state {
	return state{
		labels: a.Labels, annotations: a.Annotations, generatorURL: a.GeneratorURL,
		startsAt: rules.InstantOf(a.StartsAt), endsAt: rules.InstantOf(a.EndsAt), resolved: a.Resolved,
	}
}

// dead returns why telling s at the given moment changes nothing at the peer, which
// is told of ends for the time of retention, or alive.
func (s *state) dead(now rules.Instant, retention time.Duration) staleness {
	switch {
	case s.endsAt == 0:
		return alive
	case s.resolved && now.Sub(s.endsAt) > retention:
		return deadResolved
	case !s.resolved && s.endsAt <= now:
		return deadFiring
	}
	return alive
}

// staleness says whether a state is still worth telling.
type staleness uint8

const (
	alive        staleness = iota
	deadFiring             // the peer takes it as resolved, and would have by itself
	deadResolved           // the peer has forgotten whom it told that it fired
)

// slot holds the unsent state of one alert, as an element of its lane's list.
// Unused slots form a list of their own through next.
type slot struct {
	state
	revision   uint64        // of the state; unique within the queue
	since      rules.Instant // when an unsent state was first put here
	lane       *lane         // nil if unused
	prev, next int32
}

// queue holds the latest unsent state of every alert, oldest first within each
// lane. It has no lock and no clock. Its memory follows the number of distinct
// alerts; slots are used again, so a queue that fills and empties in every round
// allocates nothing.
type queue struct {
	slots    []slot
	unused   int32 // first of the unused slots
	index    map[labels.Labels]int32
	lanes    []*lane // those that hold states, in the order in which they came into use
	byHeader map[string]*lane
	revision uint64

	retention time.Duration // how long ends of alerts are kept
}

func newQueue() *queue {
	return &queue{
		unused: nowhere, index: map[labels.Labels]int32{}, byHeader: map[string]*lane{},
		retention: resolvedRetention,
	}
}

func (q *queue) len() int { return len(q.index) }

// lane returns the lane of requests with these headers, made if there is none.
// A new lane is due at the given moment. The key is headerKey of the headers.
func (q *queue) lane(key []byte, headers []config.Pair, due time.Time) *lane {
	if l, ok := q.byHeader[string(key)]; ok {
		return l
	}
	l := &lane{key: string(key), headers: headers, first: nowhere, last: nowhere, due: due}
	q.byHeader[l.key] = l
	q.lanes = append(q.lanes, l)
	return l
}

// put makes s the state to be told of its alert and reports whether an unsent
// one gave way to it. The place in the queue is kept unless the lane is another.
func (q *queue) put(l *lane, s state, now rules.Instant) (superseded bool) {
	q.revision++
	i, ok := q.index[s.labels]
	if ok {
		held := &q.slots[i]
		held.state, held.revision = s, q.revision
		if held.lane != l {
			q.move(i, l, now)
		}
		return true
	}
	i = q.take()
	q.slots[i] = slot{state: s, revision: q.revision, since: now, lane: l}
	q.index[s.labels] = i
	l.append(q.slots, i)
	return false
}

// move makes slot i the last of lane l.
func (q *queue) move(i int32, l *lane, now rules.Instant) {
	held := &q.slots[i]
	prev := held.lane
	prev.unlink(q.slots, i)
	held.lane, held.since = l, now
	l.append(q.slots, i)
	if prev.len == 0 {
		q.dropLane(prev)
	}
}

// take returns an unused slot.
func (q *queue) take() int32 {
	if i := q.unused; i != nowhere {
		q.unused = q.slots[i].next
		return i
	}
	q.slots = append(q.slots, slot{})
	return int32(len(q.slots) - 1)
}

// remove forgets the state in slot i.
func (q *queue) remove(i int32) {
	held := &q.slots[i]
	delete(q.index, held.labels)
	l := held.lane
	l.unlink(q.slots, i)
	*held = slot{next: q.unused}
	q.unused = i
	if l.len == 0 {
		q.dropLane(l)
	}
	if len(q.index) == 0 && len(q.slots) > keepSlots {
		q.slots, q.unused = nil, nowhere
		q.index = map[labels.Labels]int32{}
	}
}

func (q *queue) dropLane(l *lane) {
	delete(q.byHeader, l.key)
	q.lanes = slices.DeleteFunc(q.lanes, func(o *lane) bool { return o == l })
}

// keepSlots is how many slots an empty queue keeps for the next round; more than
// these are the remains of an unusual storm and given back.
const keepSlots = 1 << 16

// sending is a state on its way to the peer: a copy, and where it came from.
type sending struct {
	state
	slot     int32
	revision uint64
}

// collect appends to dst at most limit states of l, oldest first, which stay in
// the queue until settle. States that are dead are removed instead and given to
// buried.
func (q *queue) collect(dst []sending, l *lane, limit int, now rules.Instant, buried func(staleness)) []sending {
	for i := l.first; i != nowhere && len(dst) < limit; {
		held := &q.slots[i]
		next := held.next
		if why := held.dead(now, q.retention); why != alive {
			buried(why)
			q.remove(i)
			if l.len == 0 {
				break
			}
		} else {
			dst = append(dst, sending{state: held.state, slot: i, revision: held.revision})
		}
		i = next
	}
	return dst
}

// list returns the states of l, oldest first.
func (q *queue) list(l *lane) []state {
	all := make([]state, 0, l.len)
	for i := l.first; i != nowhere; i = q.slots[i].next {
		all = append(all, q.slots[i].state)
	}
	return all
}

// settle forgets the states of sent that are still the latest. One that was
// superseded on the way stays and goes to the end of its lane.
func (q *queue) settle(sent []sending, now rules.Instant) {
	for k := range sent {
		// Nothing else removes states while a batch is under way, so the slot still
		// belongs to the same alert.
		i := sent[k].slot
		if held := &q.slots[i]; held.revision == sent[k].revision {
			q.remove(i)
		} else {
			q.move(i, held.lane, now)
		}
	}
}

// sweep removes every dead state.
func (q *queue) sweep(now rules.Instant, buried func(staleness)) {
	for i := range q.slots {
		// Removing the last state may give the slots back.
		if len(q.index) == 0 {
			return
		}
		held := &q.slots[i]
		if held.lane == nil {
			continue
		}
		if why := held.dead(now, q.retention); why != alive {
			buried(why)
			q.remove(int32(i))
		}
	}
}

// oldest returns when the state that waits longest was put; unset when empty.
func (q *queue) oldest() rules.Instant {
	var at rules.Instant
	for _, l := range q.lanes {
		if since := q.slots[l.first].since; at == 0 || since < at {
			at = since
		}
	}
	return at
}
