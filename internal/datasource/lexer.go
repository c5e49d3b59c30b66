package datasource

import (
	"errors"
	"fmt"
	"io"
)

const (
	lexerBuffer = 16 << 10 // bytes read from the source at once
	maxString   = 1 << 20  // bytes of a string that is kept, such as a label value
	maxNumber   = 512      // bytes of a number
	maxDepth    = 256      // nesting of values that are skipped
)

var (
	errTooLong = errors.New("answer is too long")
	errEnded   = errors.New("answer ends early")
)

// lexer reads JSON (RFC 8259) from a stream through one buffer of fixed size.
//
// Its error is sticky: after the first failure every method does nothing and
// returns the zero value, so callers look at err once, at the end. A source's
// own error is wrapped and can be told from bad JSON with errors.Is.
type lexer struct {
	src      io.Reader
	buf      []byte
	pos, end int   // buf[pos:end] has been read and not consumed
	before   int64 // bytes of the answer before buf
	limit    int64 // most bytes of the answer

	text []byte // the last key, string or number; valid until the next is read
	err  error
}

func (l *lexer) reset(src io.Reader, limit int64) {
	l.src, l.limit = src, limit
	l.pos, l.end, l.before = 0, 0, 0
	l.text, l.err = l.text[:0], nil
}

// fail keeps the first error. It drops what is buffered, so that the fast paths,
// which look only at the buffer, find nothing from then on.
func (l *lexer) fail(err error) {
	if l.err == nil {
		l.err = err
	}
	l.end = l.pos
}

func (l *lexer) offset() int64 { return l.before + int64(l.pos) }

// more makes sure that buf[pos] may be read. It is false at the end of the
// answer, which is no failure, and after a failure.
func (l *lexer) more() bool {
	if l.pos < l.end {
		return true
	}
	if l.err != nil {
		return false
	}
	l.before += int64(l.end)
	l.pos, l.end = 0, 0
	// A reader may return nothing without an error; one that never stops doing so is broken.
	for range 100 {
		n, err := l.src.Read(l.buf)
		l.end = n
		if l.before+int64(n) > l.limit {
			l.fail(fmt.Errorf("%w: more than %d bytes", errTooLong, l.limit))
			return false
		}
		if n > 0 {
			return true // the error, if any, comes again
		}
		if err == io.EOF {
			return false
		}
		if err != nil {
			l.fail(fmt.Errorf("reading the answer: %w", err))
			return false
		}
	}
	l.fail(fmt.Errorf("reading the answer: %w", io.ErrNoProgress))
	return false
}

// need is more where the answer must not end yet.
func (l *lexer) need() bool {
	if l.pos < l.end || l.more() {
		return true
	}
	l.fail(fmt.Errorf("%w, after %d bytes", errEnded, l.offset()))
	return false
}

// peek skips white space and returns the next byte without consuming it, or 0
// after a failure, the end of the answer being one.
func (l *lexer) peek() byte {
	if l.pos < l.end && l.buf[l.pos] > ' ' {
		return l.buf[l.pos]
	}
	return l.peekOn()
}

// peekOn is peek where there is white space or the buffer is at its end.
func (l *lexer) peekOn() byte {
	for l.need() {
		c := l.buf[l.pos]
		if c > ' ' || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		l.pos++
	}
	return 0
}

// finish consumes white space up to the end of the answer, where it must be.
func (l *lexer) finish() {
	for l.more() {
		switch c := l.buf[l.pos]; c {
		case ' ', '\n', '\t', '\r':
			l.pos++
		default:
			l.unexpected("the end")
			return
		}
	}
}

// unexpected fails because of the byte at pos.
func (l *lexer) unexpected(want string) {
	if l.err == nil {
		l.fail(fmt.Errorf("unexpected %q at byte %d, want %s", l.buf[l.pos], l.offset(), want))
	}
}

// take consumes c, which must come next.
func (l *lexer) take(c byte, want string) bool {
	if l.pos < l.end && l.buf[l.pos] == c {
		l.pos++
		return true
	}
	return l.takeOn(c, want)
}

// takeOn is take where c is not the very next byte.
func (l *lexer) takeOn(c byte, want string) bool {
	if l.peek() != c || l.err != nil {
		l.unexpected(want)
		return false
	}
	l.pos++
	return true
}

// key moves to the next member of an object whose brace is consumed and leaves
// its name in text; it is false after the last. The loop over an object is
//
//	for first := true; l.key(first); first = false { ... consume the value ... }
func (l *lexer) key(first bool) bool {
	if !l.item(first, '}') {
		return false
	}
	l.text = l.appendString(l.text[:0])
	return l.take(':', "a colon")
}

// element moves to the next element of an array whose bracket is consumed; it
// is false after the last.
func (l *lexer) element(first bool) bool { return l.item(first, ']') }

func (l *lexer) item(first bool, closing byte) bool {
	c := l.peek()
	switch {
	case l.err != nil:
		return false
	case c == closing:
		l.pos++
		return false
	case first:
		return true
	case c != ',':
		l.unexpected("a comma or " + string(rune(closing)))
		return false
	}
	l.pos++
	return true
}

// number reads a number into text.
func (l *lexer) number() {
	l.peek()
	l.text = l.text[:0]
	for l.more() {
		b := l.buf[l.pos:l.end]
		n := 0
		for n < len(b) && numeric(b[n]) {
			n++
		}
		if room := maxNumber - len(l.text); n > room {
			l.pos += room
			l.fail(fmt.Errorf("number at byte %d is longer than %d digits", l.offset(), maxNumber))
			return
		}
		l.text = append(l.text, b[:n]...)
		l.pos += n
		if n < len(b) {
			break
		}
	}
	if l.err == nil && !validNumber(l.text) {
		l.fail(fmt.Errorf("%q before byte %d is not a number", l.text, l.offset()))
	}
}

// literal consumes word, which must come next.
func (l *lexer) literal(word string) bool {
	l.peek()
	for i := range len(word) {
		if !l.need() {
			return false
		}
		if l.buf[l.pos] != word[i] {
			l.unexpected(word)
			return false
		}
		l.pos++
	}
	return true
}

// appendBare consumes a number, true, false or null and appends it to dst as it
// is written, null as nothing.
func (l *lexer) appendBare(dst []byte) []byte {
	switch c := l.peek(); {
	case c == 't' && l.literal("true"):
		return append(dst, "true"...)
	case c == 'f' && l.literal("false"):
		return append(dst, "false"...)
	case c == 'n' && l.literal("null"):
	case c == '-' || c >= '0' && c <= '9':
		l.number()
		return append(dst, l.text...)
	default:
		l.unexpected("a string or a number")
	}
	return dst
}

// null consumes null if that comes next.
func (l *lexer) null() bool { return l.peek() == 'n' && l.literal("null") }

// skip consumes the next value, whatever it is, and still checks that it is JSON.
func (l *lexer) skip() { l.skipNested(maxDepth) }

func (l *lexer) skipNested(depth int) {
	if depth == 0 {
		l.fail(fmt.Errorf("values are nested deeper than %d at byte %d", maxDepth, l.offset()))
		return
	}
	switch c := l.peek(); c {
	case '{':
		l.pos++
		for first := true; l.key(first); first = false {
			l.skipNested(depth - 1)
		}
	case '[':
		l.pos++
		for first := true; l.element(first); first = false {
			l.skipNested(depth - 1)
		}
	case '"':
		l.skipString()
	case 't':
		l.literal("true")
	case 'f':
		l.literal("false")
	case 'n':
		l.literal("null")
	default:
		if c != '-' && (c < '0' || c > '9') {
			l.unexpected("a value")
			return
		}
		l.number()
	}
}
