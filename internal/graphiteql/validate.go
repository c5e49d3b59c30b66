// Package graphiteql checks the expressions of Graphite rules.
//
// It knows the syntax only: paths with their wildcards, function calls with
// positional and named arguments, strings, and functions applied by a pipe.
// Which functions there are, and what arguments they take, is for the datasource
// to say.
package graphiteql

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxNesting bounds how deep calls may nest, so that no rule file can exhaust
// the stack.
const maxNesting = 500

// Validate returns nil if expr is a Graphite target by its syntax. Otherwise the
// error says where and why, as "line:column: reason".
func Validate(expr string) error {
	p := &parser{text: expr}
	if err := p.expression(); err != nil {
		return err
	}
	if !p.atEnd() {
		return p.errorf("unexpected %q after the expression", clip(p.text[p.at:]))
	}
	return nil
}

type parser struct {
	text  string
	at    int
	depth int
}

// expression reads a path, a string or a call, and the functions it is piped
// through. It leaves the position at the next token.
func (p *parser) expression() error {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxNesting {
		return p.errorf("calls are nested too deeply")
	}
	if err := p.operand(); err != nil {
		return err
	}
	for p.take('|') {
		if err := p.pipedCall(); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) operand() error {
	if c := p.peek(); c == '"' || c == '\'' {
		return p.quoted(c)
	}
	word, err := p.word()
	if err != nil {
		return err
	}
	if p.peek() != '(' {
		return nil
	}
	return p.call(word)
}

// pipedCall reads a function behind a pipe. One that needs nothing but what is
// piped to it may stand without brackets.
func (p *parser) pipedCall() error {
	p.peek()
	start := p.at
	word, err := p.word()
	if err != nil {
		return err
	}
	if p.peek() == '(' {
		return p.call(word)
	}
	if !isIdentifier(word) {
		p.at = start
		return p.errorf("%q after a pipe is not the name of a function", clip(word))
	}
	return nil
}

func (p *parser) call(function string) error {
	if !isIdentifier(function) {
		return p.errorf("%q is not a function name", clip(function))
	}
	p.take('(')
	for {
		if p.take(')') { // also behind a last comma
			return nil
		}
		if err := p.argument(); err != nil {
			return err
		}
		switch {
		case p.take(')'):
			return nil
		case p.take(','):
		case p.atEnd():
			return p.errorf("missing ')' of %s(", clip(function))
		default:
			return p.errorf("unexpected %q among the arguments of %s(", clip(p.text[p.at:]), clip(function))
		}
	}
}

func (p *parser) argument() error {
	p.peek()
	start := p.at
	for p.at < len(p.text) && isIdentifierByte(p.text[p.at]) {
		p.at++
	}
	if isIdentifier(p.text[start:p.at]) && p.take('=') {
		return p.expression()
	}
	p.at = start
	return p.expression()
}

func (p *parser) quoted(quote byte) error {
	for i := p.at + 1; i < len(p.text); i++ {
		switch p.text[i] {
		case '\\':
			i++
		case quote:
			p.at = i + 1
			return nil
		}
	}
	return p.errorf("missing closing %c", quote)
}

// word reads a path, a number or the name of a function. Anything may stand
// between braces, as in a.{b, c}.d, and between square brackets; '=' belongs to a
// path behind the ';' that begins a tag.
func (p *parser) word() (string, error) {
	start, braces, tags := p.at, 0, false
	opened := 0 // where the outermost brace is
	for p.at < len(p.text) {
		c := p.text[p.at]
		switch {
		case c == '\\' && p.at+1 < len(p.text):
			p.at++
		case c == '{':
			if braces++; braces == 1 {
				opened = p.at
			}
		case c == '}':
			if braces--; braces < 0 {
				return "", p.errorf("unexpected '}'")
			}
		case c == '[':
			n := strings.IndexByte(p.text[p.at:], ']')
			if n < 0 {
				return "", p.errorf("missing ']'")
			}
			p.at += n
		case braces > 0 || c == '=' && tags:
		case c == ';':
			tags = true
		case !isPathByte(c):
			return p.wordFrom(start)
		}
		p.at++
	}
	if braces > 0 {
		p.at = opened
		return "", p.errorf("missing '}'")
	}
	return p.wordFrom(start)
}

func (p *parser) wordFrom(start int) (string, error) {
	switch {
	case p.at == start && p.atEnd():
		return "", p.errorf("unexpected end of the expression")
	case p.at == start:
		return "", p.errorf("unexpected %q", clip(p.text[p.at:]))
	}
	return p.text[start:p.at], nil
}

// peek skips white space and returns the byte that follows, 0 at the end.
func (p *parser) peek() byte {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

// take skips c if it is next.
func (p *parser) take(c byte) bool {
	if p.peek() != c || p.atEnd() {
		return false
	}
	p.at++
	return true
}

func (p *parser) atEnd() bool {
	p.peek()
	return p.at == len(p.text)
}

func (p *parser) errorf(format string, args ...any) error {
	before := p.text[:p.at]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return fmt.Errorf("%d:%d: %s", line, column, fmt.Sprintf(format, args...))
}

// clip shortens what an error quotes.
func clip(s string) string {
	const most = 40
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "..."
}

func isIdentifierByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

func isIdentifier(s string) bool {
	for i := range len(s) {
		if !isIdentifierByte(s[i]) {
			return false
		}
	}
	return s != "" && (s[0] < '0' || s[0] > '9')
}

func isPathByte(c byte) bool {
	return isIdentifierByte(c) || c >= 0x80 || strings.IndexByte("!#$%&*+-./:<>?@[]^~\\", c) >= 0
}
