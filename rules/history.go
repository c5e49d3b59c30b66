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
// it is kept packed: the newest evaluation first, each older one as what differs
// from the one before it in the text, about 9 bytes each.
type History struct{ packed string }

// What is said of an evaluation by the first byte of its text.
const (
	wholeSeconds = 1 << iota // from its At to that of the newer one; else nanoseconds
	allFetched               // SeriesFetched is Samples
	hasError                 // the text ends with the length of Error, and Error
)

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
	buf := appendUpdate(room[:0], u, &Update{})
	var last Update
	rest, ok := unpack(h.packed, &last)
	if !ok || limit <= 1 {
		return History{string(buf)}
	}
	buf = appendUpdate(buf, &last, u)
	keep := rest
	var older Update
	for range limit - 2 {
		if keep, ok = unpack(keep, &older); !ok {
			break
		}
	}
	return History{string(append(buf, rest[:len(rest)-len(keep)]...))}
}

// Last returns the newest evaluation; false before the first.
func (h History) Last() (u Update, ok bool) {
	_, ok = unpack(h.packed, &u)
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
			if rest, ok = unpack(rest, &u); !ok || !yield(&u) {
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

// appendUpdate packs u, after which newer came; for the newest, newer is zero.
func appendUpdate(b []byte, u, newer *Update) []byte {
	var flags byte
	gap := int64(newer.At - u.At)
	if gap%int64(time.Second) == 0 {
		flags |= wholeSeconds
		gap /= int64(time.Second)
	}
	if u.SeriesFetched == u.Samples {
		flags |= allFetched
	}
	if u.Error != "" {
		flags |= hasError
	}
	b = append(b, flags)
	b = binary.AppendVarint(b, gap)
	b = binary.AppendVarint(b, int64(u.Began-u.At)-int64(newer.Began-newer.At))
	b = binary.AppendVarint(b, int64(u.Duration))
	b = binary.AppendVarint(b, int64(u.Samples))
	if flags&allFetched == 0 {
		b = binary.AppendVarint(b, int64(u.SeriesFetched))
	}
	if flags&hasError != 0 {
		b = binary.AppendUvarint(b, uint64(len(u.Error)))
		b = append(b, u.Error...)
	}
	return b
}

// unpack reads the first evaluation of packed into u, where the newer one is, or
// nothing for the newest. It returns the others; false if there is none.
func unpack(packed string, u *Update) (rest string, ok bool) {
	if packed == "" {
		return "", false
	}
	flags := packed[0]
	var numbers [5]int64 // gap, lateness, duration, samples, fetched
	count := len(numbers)
	if flags&allFetched != 0 {
		count--
	}
	rest = packed[1:]
	for i := range count {
		if numbers[i], rest, ok = varint(rest); !ok {
			return "", false
		}
	}
	if flags&wholeSeconds != 0 {
		numbers[0] *= int64(time.Second)
	}
	if flags&allFetched != 0 {
		numbers[4] = numbers[3]
	}
	late := u.Began - u.At + Instant(numbers[1])
	u.At -= Instant(numbers[0])
	u.Began = u.At + late
	u.Duration = time.Duration(numbers[2])
	u.Samples, u.SeriesFetched = int(numbers[3]), int(numbers[4])
	u.Error = ""
	if flags&hasError != 0 {
		return unpackError(rest, u)
	}
	return rest, true
}

func unpackError(packed string, u *Update) (rest string, ok bool) {
	n, packed, ok := uvarint(packed)
	if !ok || n > uint64(len(packed)) {
		return "", false
	}
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
