package pushmetrics

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"tocsin/rules"
)

// Label is a label that is added to series.
type Label struct{ Name, Value string }

// ParseLabels reads labels as the text format has them: name="value", or several
// of them with commas between.
func ParseLabels(text string) ([]Label, error) {
	var labels []Label
	for rest := text; ; {
		label, after, err := parseLabel(rest)
		if err != nil {
			return nil, fmt.Errorf("%w; write for example instance=\"alerts-1\"", err)
		}
		labels = append(labels, label)
		after = strings.TrimLeft(after, " ")
		if after == "" {
			return labels, nil
		}
		if after[0] != ',' {
			return nil, fmt.Errorf("something follows the value of %s", label.Name)
		}
		rest = after[1:]
	}
}

// parseLabel reads the first label of text and returns what follows it.
func parseLabel(text string) (label Label, after string, err error) {
	name, quoted, found := strings.Cut(text, "=")
	label.Name = strings.TrimSpace(name)
	quoted = strings.TrimLeft(quoted, " ")
	switch {
	case !found:
		return label, "", errors.New(`not of the form name="value"`)
	case !isLabelName(label.Name):
		return label, "", fmt.Errorf("%q is not the name of a label", label.Name)
	case !strings.HasPrefix(quoted, `"`):
		return label, "", fmt.Errorf("the value of %s is not in double quotes", label.Name)
	}
	var value strings.Builder
	for i := 1; i < len(quoted); i++ {
		switch c := quoted[i]; c {
		case '"':
			label.Value = value.String()
			return label, quoted[i+1:], nil
		case '\\':
			i++
			if i == len(quoted) || !strings.ContainsRune(`\"n`, rune(quoted[i])) {
				return label, "", fmt.Errorf("the value of %s has a backslash before neither \\, \" nor n", label.Name)
			}
			value.WriteByte(unescaped(quoted[i]))
		default:
			value.WriteByte(c)
		}
	}
	return label, "", fmt.Errorf("the value of %s has no closing quote", label.Name)
}

func unescaped(c byte) byte {
	if c == 'n' {
		return '\n'
	}
	return c
}

func isLabelName(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		letter := 'a' <= c && c <= 'z' || s[i] == '_'
		if !letter && (i == 0 || s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return s != ""
}

// labeler adds labels to the lines of the text format that are written to it.
type labeler struct {
	added []addedLabel
	line  []byte // begun, without its end
	dst   []byte // of the line in work
	out   io.Writer
}

type addedLabel struct {
	start []byte // name="
	pair  []byte // name="value"
}

func newLabeler(labels []Label) *labeler {
	l := &labeler{}
	for _, x := range labels {
		start := x.Name + `="`
		l.added = append(l.added, addedLabel{[]byte(start), []byte(start + rules.EscapeLabelValue(x.Value) + `"`)})
	}
	return l
}

// to begins to write to out.
func (l *labeler) to(out io.Writer) { l.out, l.line = out, l.line[:0] }

// end writes what is left without an end of line, and lets go of the writer.
func (l *labeler) end() {
	if len(l.line) > 0 {
		_ = l.writeLine(l.line) // as in render
	}
	l.out = nil
}

// Write takes any piece of the text.
func (l *labeler) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			l.line = append(l.line, rest...)
			break
		}
		line := rest[:end]
		if len(l.line) > 0 {
			l.line = append(l.line, line...)
			line = l.line
		}
		if err := l.writeLine(line); err != nil {
			return 0, err
		}
		l.line, rest = l.line[:0], rest[end+1:]
	}
	return len(p), nil
}

func (l *labeler) writeLine(line []byte) error {
	l.dst = l.appendLine(l.dst[:0], line)
	_, err := l.out.Write(l.dst)
	return err
}

// appendLine appends a line with the labels it lacks. Comments stay as they are.
func (l *labeler) appendLine(dst, line []byte) []byte {
	nameEnd := bytes.IndexAny(line, "{ ")
	if nameEnd <= 0 || nameEnd == len(line)-1 || line[0] == '#' {
		return append(append(dst, line...), '\n')
	}
	dst = append(dst, line[:nameEnd]...)
	rest, own := line[nameEnd:], []byte(nil)
	if rest[0] == '{' {
		rest = rest[1:]
		own = rest
	}
	dst = append(dst, '{')
	for _, x := range l.added {
		if !hasLabel(own, x.start) {
			dst = append(append(dst, x.pair...), ',')
		}
	}
	switch {
	case own == nil:
		dst[len(dst)-1] = '}'
	case own[0] == '}' && dst[len(dst)-1] == ',':
		dst = dst[:len(dst)-1]
	}
	return append(append(dst, rest...), '\n')
}

// hasLabel reports whether a label begins with start in labels, which go up to the
// end of the line. Quotes within values are escaped, so it cannot be found there.
func hasLabel(labels, start []byte) bool {
	for {
		i := bytes.Index(labels, start)
		if i < 0 {
			return false
		}
		if i == 0 || labels[i-1] == ',' || labels[i-1] == ' ' {
			return true
		}
		labels = labels[i+len(start):]
	}
}
