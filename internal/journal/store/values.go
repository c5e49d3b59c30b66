package store

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// values knows where the latest value of each key is.
type values struct {
	at   map[string]location
	live int64 // bytes of their frames
}

type location struct {
	segment *segment
	place   place
}

func newValues() values { return values{at: make(map[string]location)} }

// apply takes over what a commit in s has changed.
func (v *values) apply(s *segment, changes []change) {
	for i := range changes {
		c := &changes[i]
		old, had := v.at[c.key]
		if had {
			v.unlink(old)
		}
		switch {
		case c.place.size == 0:
			delete(v.at, c.key)
		case had:
			v.at[c.key] = v.link(s, c.place)
		default:
			// The key may be a piece of something large.
			v.at[strings.Clone(c.key)] = v.link(s, c.place)
		}
	}
}

func (v *values) link(s *segment, p place) location {
	s.live += int64(p.size)
	v.live += int64(p.size)
	return location{s, p}
}

func (v *values) unlink(l location) {
	l.segment.live -= int64(l.place.size)
	v.live -= int64(l.place.size)
}

// forget removes key.
func (v *values) forget(key string) {
	if l, ok := v.at[key]; ok {
		v.unlink(l)
		delete(v.at, key)
	}
}

// keys returns all keys in order.
func (v *values) keys() []string { return slices.Sorted(maps.Keys(v.at)) }

// in appends the keys whose values are in s, in the order of the file, to dst.
func (v *values) in(dst []string, s *segment) []string {
	for key, l := range v.at {
		if l.segment == s {
			dst = append(dst, key)
		}
	}
	slices.SortFunc(dst, func(a, b string) int {
		return cmp.Compare(v.at[a].place.offset, v.at[b].place.offset)
	})
	return dst
}
