// Package jsontext appends JSON strings to a buffer, without reflection and
// without allocating.
package jsontext

import "unicode/utf8"

const hexDigits = "0123456789abcdef"

// plainByte tells which ASCII bytes stand for themselves in a string. Those that
// mean something to HTML do not, so that an answer can be embedded in a page.
var plainByte = func() (t [utf8.RuneSelf]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return t
}()

// AppendString appends s as a JSON string, in the form that encoding/json gives
// it: what means something to HTML is escaped, so that it can be embedded in a
// page, and bytes that are not UTF-8 become U+FFFD.
func AppendString(dst []byte, s string) []byte {
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
