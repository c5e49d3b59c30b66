// Package template turns the label and annotation texts of alerting rules into
// values. Every text is parsed once, when its rule is built, never per alert.
//
// A text becomes one of three things. Without an action it is constant and
// nothing of it is kept but the text. A text of plain pipelines, conditions and
// known functions becomes a short list of operations that append to a buffer.
// Everything else is a parse tree that text/template executes. The three agree
// byte for byte; a run of operations that meets an error is repeated by
// text/template, so there is one source of error texts.
//
// An Engine holds what all texts of a configuration share: the templates of
// files, the functions, the external labels. Compiled texts refer to that, and
// never to the Engine, so a rule that outlives a reload pins only what it uses.
package template

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"sync"
	gotemplate "text/template"
	"text/template/parse"

	"tocsin/config"
	"tocsin/rules"
)

// Options says what the templates of a configuration have in common.
type Options struct {
	Files          []string // files and globs of templates for all texts to use
	MaxFileSize    int64    // bytes of one such file; 0 is no limit
	ExternalURL    string   // without trailing slash
	ExternalLabels []config.Pair
}

// Engine compiles the texts of one configuration. It may be used from many
// goroutines.
type Engine struct {
	core      *core
	programs  *intern
	unmatched []string
	digest    [sha256.Size]byte
}

var _ rules.TemplateCompiler = (*Engine)(nil)

// core is what compiled texts need when they are expanded. It never changes
// after Load, but for its pool and its cache of expressions.
type core struct {
	trees          map[string]*parse.Tree // of the template files, by template name
	externalURL    string
	pathPrefix     string
	externalLabels map[string]string
	regexps        *regexpCache
	base           *gotemplate.Template // cloned by runners, never executed
	runners        runnerPool
	machines       sync.Pool // of *machine
}

// Load reads the template files. Every file that cannot be read or parsed is
// reported, joined, as path:line: what is wrong; the Engine that comes with such
// an error has the templates of the others. It is nil if the options are wrong.
func Load(o Options) (*Engine, error) {
	u, err := url.Parse(o.ExternalURL)
	if err != nil {
		// The error of url.Parse shows the address, which may hold a password.
		return nil, errors.New("external URL is not a valid address")
	}
	found, readErr := readFiles(o.Files, o.MaxFileSize)
	c := &core{
		externalURL:    u.String(),
		pathPrefix:     u.Path,
		externalLabels: make(map[string]string, len(o.ExternalLabels)),
		regexps:        newRegexpCache(),
	}
	for _, l := range o.ExternalLabels {
		c.externalLabels[l.Name] = l.Value
	}
	var parseErr error
	c.trees, parseErr = parseFiles(found.files)
	if err := c.setBase(); err != nil {
		return nil, err
	}
	return &Engine{
		core: c, programs: newIntern(), unmatched: found.unmatched,
		digest: digest(o, found.files),
	}, errors.Join(readErr, parseErr)
}

// CompileLabels parses the label texts of one rule. Of the variables, they see
// labels, value, expr, externalLabels and externalURL; the others are blank.
func (e *Engine) CompileLabels(pairs []config.Pair) (rules.Template, error) {
	return e.compile(labelText, pairs)
}

// CompileAnnotations parses the annotation texts of one rule.
func (e *Engine) CompileAnnotations(pairs []config.Pair) (rules.Template, error) {
	return e.compile(annotationText, pairs)
}

func (e *Engine) compile(r role, pairs []config.Pair) (rules.Template, error) {
	t := &texts{core: e.core, role: r, pairs: pairs}
	for i := range pairs {
		t.add(e, i)
	}
	return t, errors.Join(t.errs...)
}

// CompileSource parses the template of -external.alert.source. It may not run
// queries.
func (e *Engine) CompileSource(text string) (*Source, error) {
	prog, err := compileText(e.core, sourceText, text)
	if err != nil {
		return nil, fmt.Errorf("alert source template: %w", err)
	}
	s := &Source{core: e.core}
	s.text, s.prog = prog.constant(text)
	return s, nil
}

// Digest is the same for engines that expand every text alike: same files in the
// same order, same external URL and labels.
func (e *Engine) Digest() [sha256.Size]byte { return e.digest }

// Unmatched returns the patterns of Options.Files that named no file.
func (e *Engine) Unmatched() []string { return e.unmatched }

// Source is the template of the address under which an alert is looked at.
type Source struct {
	core *core
	text string
	prog *program
}

// URL returns the external URL followed by a slash and the expanded template.
// When the template fails it returns the external URL alone, and the error.
func (s *Source) URL(ctx context.Context, d *rules.TemplateData) (string, error) {
	if s.prog == nil {
		return s.core.externalURL + "/" + s.text, nil
	}
	m := takeMachine(s.core)
	defer m.release()
	m.out = append(m.out, s.core.externalURL...)
	m.out = append(m.out, '/')
	if err := s.prog.expand(ctx, m, d); err != nil {
		return s.core.externalURL, fmt.Errorf("alert source template: %w", err)
	}
	return string(m.out), nil
}
