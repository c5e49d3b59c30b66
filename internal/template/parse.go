package template

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/template/parse"
)

// role is what a text is for. It decides what the text may use.
type role uint8

const (
	labelText role = iota
	annotationText
	sourceText
)

func (r role) String() string {
	switch r {
	case labelText:
		return "label"
	case annotationText:
		return "annotation"
	}
	return "source"
}

// named says in an error which text it is about.
func named(r role, name string, err error) error {
	return fmt.Errorf("%s %q: %w", r, name, err)
}

// parseName returns the name under which text/template reports the text. No
// template is likely to be defined under the same name.
func (r role) parseName() string { return r.String() + " text" }

// parsed is a text as text/template reads it.
type parsed struct {
	role   role
	main   *parse.Tree            // begins with the declarations of the header
	locals map[string]*parse.Tree // templates that the text defines for itself; nil if none
	header int                    // bytes put before the text
}

// parseText parses a text with the variables of alerts declared.
func parseText(r role, text string) (*parsed, error) {
	head := header(text)
	main, locals, err := parseTrees(r.parseName(), head+text)
	if err != nil {
		return nil, err
	}
	return &parsed{role: r, main: main, locals: locals, header: len(head)}, nil
}

// parseTrees parses a text and the templates it defines, which are nil if there
// are none.
func parseTrees(name, text string) (main *parse.Tree, defined map[string]*parse.Tree, err error) {
	defined = make(map[string]*parse.Tree)
	main = parse.New(name)
	if _, err := main.Parse(text, "", "", defined, knownFunctions); err != nil {
		return nil, nil, err
	}
	if defined[name] == main {
		delete(defined, name)
	}
	if len(defined) == 0 {
		defined = nil
	}
	return main, defined, nil
}

// body returns what the author wrote: the nodes after the header.
func (p *parsed) body() []parse.Node {
	nodes := p.main.Root.Nodes
	for len(nodes) > 0 && int(nodes[0].Position()) < p.header {
		nodes = nodes[1:]
	}
	return nodes
}

// place corrects the column of an error of text/template by the header, which
// the author of the text does not see.
func (p *parsed) place(err error) error {
	prefix := "template: " + p.role.parseName() + ":1:"
	rest, ok := strings.CutPrefix(err.Error(), prefix)
	if !ok {
		return err
	}
	column, rest, ok := strings.Cut(rest, ":")
	if !ok {
		return err
	}
	n, convErr := strconv.Atoi(column)
	if convErr != nil || n < p.header {
		return err
	}
	return &placedError{text: prefix + strconv.Itoa(n-p.header) + ":" + rest, err: err}
}

// placedError is an error with its place in the text corrected.
type placedError struct {
	text string
	err  error
}

func (e *placedError) Error() string { return e.text }
func (e *placedError) Unwrap() error { return e.err }

// placeInFile turns an error of the parser into path:line: what is wrong.
func placeInFile(path, name string, err error) error {
	if rest, ok := strings.CutPrefix(err.Error(), "template: "+name+":"); ok {
		return errors.New(path + ":" + rest)
	}
	return fmt.Errorf("%s: %w", path, err)
}
