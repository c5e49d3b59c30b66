package config

import (
	"hash/fnv"
)

// ID returns the number by which vmalert's API and links name the group: FNV-64a
// over file, 0xff, name, type, interval and, if set, eval_offset. It changes
// with those fields, so it serves the outside only; Key is the identity.
func (g *Group) ID() uint64 {
	h := fnv.New64a()
	write := func(s string) { _, _ = h.Write([]byte(s)) }
	write(g.Key.File)
	write("\xff")
	write(g.Key.Name)
	write(string(g.Type))
	write(g.Interval.String())
	if g.EvalOffset.Set {
		write(g.EvalOffset.Duration.String())
	}
	return h.Sum64()
}

// ID returns the number by which vmalert's API and links name the rule: FNV-64a
// over the expression, the kind, the name and the rule's own labels. Like a
// group's, it serves the outside only.
func (r *Rule) ID() uint64 {
	h := fnv.New64a()
	write := func(s string) { _, _ = h.Write([]byte(s)) }
	write(r.Expr)
	write(r.Kind.String())
	write(r.Name)
	for _, l := range r.Labels {
		write(l.Name)
		write(l.Value)
		write("\xff")
	}
	return h.Sum64()
}
