package datasource

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// plain tells the bytes that stand for themselves inside a JSON string.
var plain = func() (t [256]bool) {
	for c := ' '; c < 256; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// appendString consumes a string and appends what it says to dst. Bytes that are
// not UTF-8 are kept as they are; half a surrogate pair becomes U+FFFD.
func (l *lexer) appendString(dst []byte) []byte {
	if !l.take('"', "a string") {
		return dst
	}
	start := len(dst)
	for l.need() {
		b := l.buf[l.pos:l.end]
		n := 0
		for n < len(b) && plain[b[n]] {
			n++
		}
		dst = append(dst, b[:n]...)
		l.pos += n
		if len(dst)-start > maxString {
			l.fail(fmt.Errorf("string before byte %d is longer than %d bytes", l.offset(), maxString))
			return dst
		}
		if n == len(b) {
			continue
		}
		switch b[n] {
		case '"':
			l.pos++
			return dst
		case '\\':
			dst = l.appendEscape(dst)
		default:
			l.unexpected("no control character in a string")
			return dst
		}
	}
	return dst
}

// skipString consumes a string of any length.
func (l *lexer) skipString() {
	if !l.take('"', "a string") {
		return
	}
	for l.need() {
		b := l.buf[l.pos:l.end]
		n := 0
		for n < len(b) && plain[b[n]] {
			n++
		}
		l.pos += n
		if n == len(b) {
			continue
		}
		switch b[n] {
		case '"':
			l.pos++
			return
		case '\\':
			l.text = l.appendEscape(l.text[:0])
		default:
			l.unexpected("no control character in a string")
			return
		}
	}
}

// appendEscape consumes the escape sequence at pos. Of a surrogate pair it
// consumes both halves; what follows half a pair is read as if it stood alone.
func (l *lexer) appendEscape(dst []byte) []byte {
	var high rune // a first half that waits for its second
	for l.need() {
		if high != 0 && l.buf[l.pos] != '\\' {
			return utf8.AppendRune(dst, utf8.RuneError)
		}
		l.pos++ // the backslash
		if !l.need() {
			return dst
		}
		c := l.buf[l.pos]
		if c != 'u' {
			if high != 0 {
				dst = utf8.AppendRune(dst, utf8.RuneError)
			}
			return l.appendShortEscape(dst, c)
		}
		l.pos++
		r := l.hex4()
		if high != 0 {
			if pair := utf16.DecodeRune(high, r); pair != utf8.RuneError {
				return utf8.AppendRune(dst, pair)
			}
			dst = utf8.AppendRune(dst, utf8.RuneError)
			high = 0
		}
		if r < 0xd800 || r > 0xdbff {
			return utf8.AppendRune(dst, r) // a lone second half becomes U+FFFD
		}
		high = r
	}
	return dst
}

func (l *lexer) appendShortEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	default:
		l.unexpected("an escape sequence")
		return dst
	}
	l.pos++
	return append(dst, c)
}

// hex4 consumes four hexadecimal digits.
func (l *lexer) hex4() rune {
	var r rune
	for range 4 {
		if !l.need() {
			return 0
		}
		c := l.buf[l.pos]
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			l.unexpected("a hexadecimal digit")
			return 0
		}
		l.pos++
	}
	return r
}
