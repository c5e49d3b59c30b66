package rules

import (
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

// tenant is the tenant of a group as labels, if it has one. Whatever the group
// comes to has them, and the cluster stores each series with its owner by them. It
// takes them off in doing so: the answers to queries lack them.
type tenant struct {
	pairs  []config.Pair
	labels labels.Labels
}

func newTenant(t config.Tenant) tenant {
	x := tenant{pairs: t.Labels()}
	x.labels = x.put(labels.EmptyLabels())
	return x
}

// put returns l with the tenant's labels.
func (t *tenant) put(l labels.Labels) labels.Labels {
	if len(t.pairs) == 0 {
		return l
	}
	b := labels.NewBuilder(l)
	for _, p := range t.pairs {
		b.Set(p.Name, p.Value)
	}
	return b.Labels()
}

// contradicts reports whether l is labelled as that of another tenant.
func (t *tenant) contradicts(l labels.Labels) bool {
	for _, p := range t.pairs {
		if v := l.Get(p.Name); v != "" && v != p.Value {
			return true
		}
	}
	return false
}
