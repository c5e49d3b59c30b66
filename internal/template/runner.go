package template

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	gotemplate "text/template"
	"text/template/parse"
	"time"

	"tocsin/rules"
)

const (
	maxOutput = 1 << 20 // bytes a text may expand to
	maxNested = 100     // calls of tmpl within one another
)

var (
	errTooLong = fmt.Errorf("the text expands to more than %d bytes", maxOutput)
	errTooDeep = errors.New("templates call one another without end")
)

// alertData is "." of a text.
type alertData struct {
	Labels         map[string]string
	Value          float64
	Type           string
	Expr           string
	Interval       time.Duration
	ExternalLabels map[string]string
	ExternalURL    string
	AlertID        uint64
	GroupID        uint64
	ActiveAt       time.Time
	For            time.Duration
	IsPartial      bool
}

// execution is a text that text/template executes.
type execution struct {
	parsed     *parsed
	needLabels bool
	own        *runnerPool // for texts that define templates of their own; else nil
}

func newExecution(c *core, p *parsed, f facts) *execution {
	x := &execution{
		parsed:     p,
		needLabels: f&(labelsField.fact()|usesAll|usesUnknown) != 0,
	}
	if p.locals != nil {
		x.own = &runnerPool{locals: p.locals}
	}
	return x
}

// run appends the value of the text to out.
func (x *execution) run(ctx context.Context, c *core, d *rules.TemplateData, out []byte) ([]byte, error) {
	pool := x.own
	if pool == nil {
		pool = &c.runners
	}
	r, err := pool.take(c)
	if err != nil {
		return nil, err
	}
	r.prepare(ctx, x, d)
	err = r.execute(x.parsed)
	out = append(out, r.out.Bytes()...)
	r.forget()
	pool.put(r)
	if err != nil {
		return nil, x.parsed.place(err)
	}
	return out, nil
}

// setBase prepares what runners are cloned from.
func (c *core) setBase() error {
	c.base = gotemplate.New("").Funcs(functions(c))
	for _, name := range slices.Sorted(maps.Keys(c.trees)) {
		if _, err := c.base.AddParseTree(name, c.trees[name]); err != nil {
			return fmt.Errorf("template %q: %w", name, err)
		}
	}
	return nil
}

// runnerPool keeps runners between expansions.
type runnerPool struct {
	locals map[string]*parse.Tree // added to the templates of files
	idle   sync.Pool              // of *runner
}

func (p *runnerPool) take(c *core) (*runner, error) {
	if r, ok := p.idle.Get().(*runner); ok {
		return r, nil
	}
	return newRunner(c, p.locals)
}

func (p *runnerPool) put(r *runner) { p.idle.Put(r) }

// runner executes trees one at a time. Its set of templates is its own, so the
// functions in it can refer to the alert at hand.
type runner struct {
	core *core
	base *gotemplate.Template
	data alertData
	out  bytes.Buffer

	ctx    context.Context
	query  func(ctx context.Context, expr string) ([]rules.Sample, error)
	nested int // calls of tmpl that have not returned
}

func newRunner(c *core, locals map[string]*parse.Tree) (*runner, error) {
	base, err := c.base.Clone()
	if err != nil {
		return nil, fmt.Errorf("clone templates: %w", err)
	}
	r := &runner{core: c, base: base}
	base.Option("missingkey=zero")
	base.Funcs(gotemplate.FuncMap{"query": r.runQuery, "tmpl": r.runTemplate})
	for _, name := range slices.Sorted(maps.Keys(locals)) {
		if _, err := base.AddParseTree(name, locals[name]); err != nil {
			return nil, fmt.Errorf("template %q: %w", name, err)
		}
	}
	return r, nil
}

// prepare gives the runner the alert.
func (r *runner) prepare(ctx context.Context, x *execution, d *rules.TemplateData) {
	r.ctx, r.query = ctx, d.Query
	r.data = alertData{
		Value: d.Value, Expr: d.Expr,
		ExternalLabels: r.core.externalLabels, ExternalURL: r.core.externalURL,
	}
	if x.needLabels {
		r.data.Labels = d.Labels.Map()
	}
	if x.parsed.role == labelText {
		return // the rest is blank, see labelFields
	}
	r.data.Type = string(d.Type)
	r.data.Interval = d.Interval
	r.data.AlertID = d.AlertID
	r.data.GroupID = d.GroupID
	r.data.ActiveAt = d.ActiveAt
	r.data.For = d.For
	r.data.IsPartial = d.Partial
}

// forget drops the alert, so that an idle runner holds nothing of it.
func (r *runner) forget() {
	r.data = alertData{}
	r.ctx, r.query, r.nested = nil, nil, 0
	if r.out.Cap() > maxKeptBuffer {
		r.out = bytes.Buffer{}
	}
	r.out.Reset()
}

// execute runs a text into r.out. A panic of a template is its error: a text
// must not end the process.
func (r *runner) execute(p *parsed) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("template: %s: %v", p.role.parseName(), v)
		}
	}()
	// A template made by New shares the set but is not entered into it.
	t := r.base.New(p.role.parseName())
	t.Tree = p.main
	return t.Execute(&limitedWriter{ctx: r.ctx, buf: &r.out}, &r.data)
}

// runQuery is the function query.
func (r *runner) runQuery(expr string) ([]metric, error) {
	if r.query == nil {
		return nil, errNoQuery
	}
	samples, err := r.query(r.ctx, expr)
	if err != nil {
		return nil, err
	}
	return metrics(samples), nil
}

// runTemplate is the function tmpl: a template whose name is computed.
func (r *runner) runTemplate(name string, data any) (string, error) {
	if r.nested >= maxNested {
		return "", errTooDeep
	}
	r.nested++
	defer func() { r.nested-- }()
	var b bytes.Buffer
	if err := r.base.ExecuteTemplate(&limitedWriter{ctx: r.ctx, buf: &b}, name, data); err != nil {
		return "", err
	}
	return b.String(), nil
}

// limitedWriter refuses what makes a text too long, and everything once ctx is
// done.
type limitedWriter struct {
	ctx context.Context
	buf *bytes.Buffer
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	if w.buf.Len()+len(p) > maxOutput {
		return 0, errTooLong
	}
	return w.buf.Write(p)
}
