package alertmanager

import (
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/internal/relabel"
	"tocsin/rules"
)

// Relabeling is what is done to the labels of the alerts for one peer, in this
// order: what the notifier file says for all peers, then for this one. Nil changes
// nothing.
type Relabeling [2]*relabel.Rules

func (r Relabeling) empty() bool { return r == Relabeling{} }

// apply returns what l becomes; the empty set if the peer is not to be told.
func (r Relabeling) apply(l labels.Labels) labels.Labels {
	l = plain(l)
	for _, rules := range r {
		var kept bool
		if l, kept = rules.Apply(l); !kept {
			return labels.EmptyLabels()
		}
	}
	return l
}

// identities follows under which labels a peer knows the alerts it was told of,
// where relabeling gives them others than their own. Two things depend on it. When
// the rules of relabeling change, an alert that goes on firing under other labels
// ends under those it had. And where several alerts become one, that one ends when
// the last of them does. It is used by one goroutine.
type identities struct {
	relabeling Relabeling
	// plainUntil is how long the peer may take alerts that it was told under their
	// own labels, without relabeling, for firing.
	plainUntil rules.Instant

	known   map[labels.Labels]*identity // by the alert's own labels
	holders map[labels.Labels]int       // how many alerts fire under these labels
	sweptAt rules.Instant
}

// identity is what a peer knows of one alert.
type identity struct {
	// current is the labels under which it fires; empty if there are none.
	current labels.Labels
	fresh   bool            // current is what relabeling now makes of it
	told    []labels.Labels // under which the peer may have heard that it fires
	until   rules.Instant   // when the peer takes it for ended unless it hears more
}

// newIdentities returns those of a peer that was told nothing yet.
func newIdentities(r Relabeling) *identities {
	return &identities{
		relabeling: r,
		known:      make(map[labels.Labels]*identity), holders: make(map[labels.Labels]int),
	}
}

// change puts other rules in force for alerts that are told from now on.
func (d *identities) change(r Relabeling) {
	d.relabeling = r
	for _, id := range d.known {
		id.fresh = false
	}
}

// idle reports whether alerts are told under their own labels, and none is known
// under others.
func (d *identities) idle() bool { return d.relabeling.empty() && len(d.known) == 0 }

// tell calls add with what the peer is to be told for the states of a batch: under
// the labels that relabeling makes of theirs, and of those that are not in use any
// more that they ended. It returns how many states the peer is not told of.
func (d *identities) tell(sent []sending, now time.Time, add func(*state)) (dropped int) {
	at := rules.InstantOf(now)
	d.sweep(at)
	// All of them count before any end is told: of two alerts in the batch one may
	// go where the other comes from.
	for i := range sent {
		d.register(&sent[i].state, at)
	}
	for i := range sent {
		s := &sent[i].state
		if s.resolved {
			d.tellEnd(s, at, add)
		} else if !d.tellFiring(s, at, add) {
			dropped++
		}
	}
	return dropped
}

// register takes note of the labels under which the alert of s fires, or that it
// does not any more.
func (d *identities) register(s *state, now rules.Instant) {
	id := d.known[s.labels]
	switch {
	case s.resolved && id != nil:
		d.hold(id, labels.EmptyLabels())
		id.fresh = false
	case s.resolved || id == nil && d.relabeling.empty():
	case id == nil:
		id = &identity{}
		if now < d.plainUntil {
			id.told = append(id.told, plain(s.labels))
		}
		d.known[s.labels] = id
		fallthrough
	default:
		if !id.fresh {
			d.hold(id, d.relabeling.apply(s.labels))
			id.fresh = true
		}
		id.until = s.endsAt
	}
}

// hold makes l the labels under which an alert fires.
func (d *identities) hold(id *identity, l labels.Labels) {
	if id.current == l {
		return
	}
	if !id.current.IsEmpty() {
		if d.holders[id.current]--; d.holders[id.current] == 0 {
			delete(d.holders, id.current)
		}
	}
	if !l.IsEmpty() {
		d.holders[l]++
	}
	id.current = l
}

// tellFiring tells that the alert of s fires, and of the end of what it was known
// as before. It returns false if there is nothing to tell of it.
func (d *identities) tellFiring(s *state, now rules.Instant, add func(*state)) bool {
	id := d.known[s.labels]
	if id == nil {
		d.tellPlain(s, add)
		return true
	}
	end := *s
	end.resolved, end.endsAt = true, max(now, s.startsAt)
	for _, l := range id.told {
		d.end(&end, l, add)
	}
	if id.current.IsEmpty() {
		return false
	}
	if !slices.Contains(id.told, id.current) {
		id.told = append(id.told, id.current)
	}
	firing := *s
	firing.labels = id.current
	if d.relabeling.empty() {
		d.tellPlain(&firing, add) // and is forgotten once the peer has taken it
	} else {
		add(&firing)
	}
	return true
}

// tellPlain tells of s as it is.
func (d *identities) tellPlain(s *state, add func(*state)) {
	if !s.resolved {
		d.plainUntil = max(d.plainUntil, s.endsAt)
	}
	add(s)
}

// tellEnd tells that the alert of s has ended, under all labels that the peer may
// know it by.
func (d *identities) tellEnd(s *state, now rules.Instant, add func(*state)) {
	if id := d.known[s.labels]; id != nil {
		for _, l := range id.told {
			d.end(s, l, add)
		}
		return
	}
	as := d.relabeling.apply(s.labels)
	d.end(s, as, add)
	if own := plain(s.labels); now < d.plainUntil && own != as {
		d.end(s, own, add)
	}
}

// end tells the end of s under the labels l, unless an alert fires under them.
func (d *identities) end(s *state, l labels.Labels, add func(*state)) {
	if l.IsEmpty() || d.holders[l] > 0 {
		return
	}
	end := *s
	end.labels = l
	add(&end)
}

// settled forgets what the peer, having taken the batch, does not believe any more.
func (d *identities) settled(sent []sending) {
	if len(d.known) == 0 {
		return
	}
	for i := range sent {
		s := &sent[i].state
		id := d.known[s.labels]
		switch {
		case id == nil:
		case s.resolved, d.relabeling.empty():
			d.forget(s.labels, id)
		case id.current.IsEmpty():
			id.told = id.told[:0]
		default:
			id.told = append(id.told[:0], id.current)
		}
	}
}

func (d *identities) forget(own labels.Labels, id *identity) {
	d.hold(id, labels.EmptyLabels())
	delete(d.known, own)
}

// sweep forgets, now and then, the alerts that the peer takes for ended because
// it has not heard of them for long enough.
func (d *identities) sweep(now rules.Instant) {
	if now.Sub(d.sweptAt) < sweepEvery {
		return
	}
	d.sweptAt = now
	for own, id := range d.known {
		if id.until != 0 && id.until < now {
			d.forget(own, id)
		}
	}
}
