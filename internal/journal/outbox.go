package journal

import (
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/internal/journal/store"
	"tocsin/rules"
)

// outbox is the ends of alerts that have yet to be accepted. No group's memory
// has them for long, so they are stored on their own. That an alert fires is told
// by its group.
type outbox struct {
	stored map[labels.Labels]string // keys in the store
	held   held                     // of stored
}

func newOutbox() *outbox {
	return &outbox{stored: make(map[labels.Labels]string), held: make(held)}
}

// note appends what n changes in the store.
func (o *outbox) note(puts []store.Put, n *rules.Notification) []store.Put {
	for i := range n.Alerts {
		a := &n.Alerts[i]
		key, stored := o.stored[a.Labels]
		switch {
		case a.Resolved && !a.Again:
			key = noticeKey(a.Labels)
			o.stored[a.Labels] = key
			puts = append(puts, store.Put{Key: key, Value: appendNotice(nil, n, a)})
		case !a.Resolved && stored:
			delete(o.stored, a.Labels)
			puts = append(puts, store.Put{Key: key})
		}
	}
	return puts
}

// tidy appends the removal of what has been delivered.
func (o *outbox) tidy(puts []store.Put, n Notifier) []store.Put {
	for l, key := range o.stored {
		if _, held := o.held[l]; !held && !n.Undelivered(l) {
			delete(o.stored, l)
			puts = append(puts, store.Put{Key: key})
		}
	}
	return puts
}
