package web

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/rules"
)

// The functions of this file append JSON values in the form that encoding/json
// gives them, without reflection and without allocating.

const hexDigits = "0123456789abcdef"

// plainByte tells which ASCII bytes stand for themselves in a string. Those that
// mean something to HTML do not, so that an answer can be embedded in a page.
var plainByte = func() (t [utf8.RuneSelf]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return t
}()

// appendString appends s quoted; bytes that are not UTF-8 become U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := plainWords(s, 0); i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			i++
			if !plainByte[c] {
				dst = appendEscaped(append(dst, s[from:i-1]...), c)
				from = i
				i = plainWords(s, i)
			}
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			dst = append(append(dst, s[from:i]...), `\ufffd`...)
			from = i + n
		case r == '\u2028' || r == '\u2029': // end a line in JavaScript
			dst = append(append(dst, s[from:i]...), `\u202`...)
			dst = append(dst, hexDigits[r&0xf])
			from = i + n
		}
		i += n
	}
	return append(append(dst, s[from:]...), '"')
}

// plainWords returns the index after those eight-byte words of s, from i on, of
// which every byte is plain. Most strings are plain, and this is several times
// as fast as looking at each byte.
func plainWords(s string, i int) int {
	const ones = 0x0101010101010101
	const tops = 0x80 * ones
	// zero has the top bit of a byte set if that byte of w is zero. Borrows may
	// set it in others as well; they are then looked at one by one.
	zero := func(w uint64) uint64 { return (w - ones) & ^w }
	for ; i+8 <= len(s); i += 8 {
		p := s[i : i+8]
		w := uint64(p[0]) | uint64(p[1])<<8 | uint64(p[2])<<16 | uint64(p[3])<<24 |
			uint64(p[4])<<32 | uint64(p[5])<<40 | uint64(p[6])<<48 | uint64(p[7])<<56
		special := w | // not ASCII
			(w-0x20*ones)&^w | // control characters
			zero((w|4*ones)^'&'*ones) | // & and "
			zero((w|2*ones)^'>'*ones) | // > and <
			zero(w^'\\'*ones)
		if special&tops != 0 {
			break
		}
	}
	return i
}

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}

// appendID appends a number as a string, for readers whose numbers are floats.
func appendID(dst []byte, id uint64) []byte {
	dst = append(dst, '"')
	dst = strconv.AppendUint(dst, id, 10)
	return append(dst, '"')
}

// appendValue appends a sample value as a string, which NaN and Inf need anyway.
func appendValue(dst []byte, v float64) []byte {
	dst = append(dst, '"')
	dst = strconv.AppendFloat(dst, v, 'f', -1, 64)
	return append(dst, '"')
}

// appendSeconds appends d as a number of seconds.
func appendSeconds(dst []byte, d time.Duration) []byte {
	if d%time.Second == 0 {
		return strconv.AppendInt(dst, int64(d/time.Second), 10)
	}
	v := d.Seconds()
	if math.Abs(v) >= 1e-6 {
		return strconv.AppendFloat(dst, v, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, v, 'e', -1, 64)
	if n := len(dst); dst[n-2] == '0' { // e-09 is written e-9
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

// appendTime appends t in RFC 3339; unset is the year 1.
func appendTime(dst []byte, t rules.Instant) []byte {
	dst = append(dst, '"')
	dst = t.Time().AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"')
}

// appendPairs appends pairs as an object.
func appendPairs(dst []byte, pairs []config.Pair) []byte {
	dst = append(dst, '{')
	for i, p := range pairs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, p.Name), ':')
		dst = appendString(dst, p.Value)
	}
	return append(dst, '}')
}

// appendLabels appends l as an object.
func appendLabels(dst []byte, l labels.Labels) []byte {
	dst = append(dst, '{')
	first := true
	l.Range(func(l labels.Label) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(appendString(dst, l.Name), ':')
		dst = appendString(dst, l.Value)
	})
	return append(dst, '}')
}

// appendStrings appends list as an array.
func appendStrings(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, s)
	}
	return append(dst, ']')
}
