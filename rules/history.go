package rules

import (
	"encoding/binary"
	"iter"
	"time"
)

// Update is one past evaluation of a rule.
type Update struct {
	Began         Instant       // the wall clock
	At            Instant       // the time it was evaluated for
	Duration      time.Duration // of query and processing
	Error         string        // "" when it went well
	Samples       int
	SeriesFetched int // -1 when unknown
}

// History is the last evaluations of a rule. It is a value: adding to it makes
// another. With many rules it would be most of what the process remembers, so
// it is kept packed: the newest evaluation first, each older one as its distance
// from the one before it in the text, about 16 bytes each.
type History struct{ packed string }

// HistoryOf returns the history of updates, which are in order of time.
func HistoryOf(updates ...Update) (h History) {
	for i := range updates {
		h = h.with(&updates[i], len(updates))
	}
	return h
}

// with returns h with u added and at most limit evaluations kept.
func (h History) with(u *Update, limit int) History {
	var room [512]byte // enough for 20 evaluations without errors
	buf := appendUpdate(room[:0], u, 0)
	var last Update
	rest, ok := unpack(h.packed, &last, 0)
	if !ok || limit <= 1 {
		return History{string(buf)}
	}
	buf = appendUpdate(buf, &last, u.Began)
	keep := rest
	var older Update
	for range limit - 2 {
		if keep, ok = unpack(keep, &older, 0); !ok {
			break
		}
	}
	return History{string(append(buf, rest[:len(rest)-len(keep)]...))}
}

// Last returns the newest evaluation; false before the first.
func (h History) Last() (u Update, ok bool) {
	_, ok = unpack(h.packed, &u, 0)
	return u, ok
}

// Len returns how many evaluations are remembered.
func (h History) Len() int {
	n := 0
	for range h.All() {
		n++
	}
	return n
}

// All yields the evaluations, newest first. A *Update is valid until the next.
func (h History) All() iter.Seq[*Update] {
	return func(yield func(*Update) bool) {
		var u Update
		for rest := h.packed; ; {
			var ok bool
			if rest, ok = unpack(rest, &u, u.Began); !ok || !yield(&u) {
				return
			}
		}
	}
}

// began returns when the evaluation for the time at began; at itself if that is
// not remembered.
func (h History) began(at Instant) Instant {
	for u := range h.All() {
		if u.At == at {
			return u.Began
		}
	}
	return at
}

// appendUpdate packs u, of which the next newer one began at newer.
func appendUpdate(b []byte, u *Update, newer Instant) []byte {
	b = binary.AppendVarint(b, int64(newer-u.Began))
	b = binary.AppendVarint(b, int64(u.Began-u.At))
	b = binary.AppendVarint(b, int64(u.Duration))
	b = binary.AppendVarint(b, int64(u.Samples))
	b = binary.AppendVarint(b, int64(u.SeriesFetched))
	b = binary.AppendUvarint(b, uint64(len(u.Error)))
	return append(b, u.Error...)
}

// unpack reads the first evaluation of packed into u and returns the others;
// false if there is none.
func unpack(packed string, u *Update, newer Instant) (rest string, ok bool) {
	var numbers [5]int64
	for i := range numbers {
		if numbers[i], packed, ok = varint(packed); !ok {
			return "", false
		}
	}
	n, packed, ok := uvarint(packed)
	if !ok || n > uint64(len(packed)) {
		return "", false
	}
	u.Began = newer - Instant(numbers[0])
	u.At = u.Began - Instant(numbers[1])
	u.Duration = time.Duration(numbers[2])
	u.Samples, u.SeriesFetched = int(numbers[3]), int(numbers[4])
	u.Error = packed[:n]
	return packed[n:], true
}

// uvarint reads a number as encoding/binary writes it; false if s has none.
func uvarint(s string) (v uint64, rest string, ok bool) {
	for i := range min(len(s), binary.MaxVarintLen64) {
		v |= uint64(s[i]&0x7f) << (7 * i)
		if s[i] < 0x80 {
			return v, s[i+1:], true
		}
	}
	return 0, "", false
}

func varint(s string) (v int64, rest string, ok bool) {
	u, rest, ok := uvarint(s)
	return unzigzag(u), rest, ok
}

// unzigzag returns the number that is written as u.
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }
