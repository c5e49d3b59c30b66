// Package rulestest has fakes for what package rules needs from the world: a
// datasource that answers what a test tells it to, the same at all times or by
// time, a notifier and an appender that remember what they were given, and
// templates that expand nothing.
package rulestest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/rules"
)

// Datasource answers queries as the test has set it up. The zero value answers
// every query with nothing.
type Datasource struct {
	mu          sync.Mutex // guards the fields below
	answers     map[string]answer
	asked       []rules.Query
	hook        func(context.Context, rules.Query) error
	askedRanges []rules.RangeQuery
	rangeHook   func(context.Context, rules.RangeQuery) error
}

type answer struct {
	result rules.Result
	at     func(time.Time) []rules.Sample // instead of result; nil for none
	err    error
}

var _ rules.Querier = (*Datasource)(nil)

// Set makes expr answer samples.
func (d *Datasource) Set(expr string, samples ...rules.Sample) {
	d.set(expr, answer{result: rules.Result{Samples: samples, SeriesFetched: len(samples)}})
}

// Fail makes expr answer an error.
func (d *Datasource) Fail(expr string, err error) { d.set(expr, answer{err: err}) }

func (d *Datasource) set(expr string, a answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.answers == nil {
		d.answers = make(map[string]answer)
	}
	d.answers[expr] = a
}

// Hook has f called at the beginning of each query, of a range also; an error of
// its is the answer. It may block.
func (d *Datasource) Hook(f func(context.Context, rules.Query) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hook = f
}

// Query implements rules.Querier. A sample without a time has the query's.
func (d *Datasource) Query(ctx context.Context, q rules.Query) (rules.Result, error) {
	d.mu.Lock()
	d.asked = append(d.asked, q)
	a, hook := d.answers[q.Expr], d.hook
	d.mu.Unlock()
	if hook != nil {
		if err := hook(ctx, q); err != nil {
			return rules.Result{}, err
		}
	}
	if a.err != nil {
		return rules.Result{}, a.err
	}
	res := a.result
	res.Samples = append([]rules.Sample(nil), a.samples(q.Time)...)
	if a.at != nil {
		res.SeriesFetched = len(res.Samples)
	}
	for i := range res.Samples {
		if res.Samples[i].T == 0 {
			res.Samples[i].T = q.Time.UnixMilli()
		}
	}
	return res, nil
}

// Request implements rules.Querier.
func (d *Datasource) Request(q rules.Query) string { return "query " + q.Expr }

// Asked returns the queries so far, and forgets them.
func (d *Datasource) Asked() []rules.Query {
	d.mu.Lock()
	defer d.mu.Unlock()
	asked := d.asked
	d.asked = nil
	return asked
}

// Sample returns a sample with the value and the labels, given as names and
// values in turn.
func Sample(v float64, pairs ...string) rules.Sample {
	return rules.Sample{Labels: labels.FromStrings(pairs...), V: v}
}

// Notifier remembers notifications.
type Notifier struct {
	mu   sync.Mutex // guards sent
	sent []rules.Notification
}

var _ rules.Notifier = (*Notifier)(nil)

// Notify implements rules.Notifier.
func (n *Notifier) Notify(x rules.Notification) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent = append(n.sent, x)
	return nil
}

// Sent returns the notifications so far, and forgets them.
func (n *Notifier) Sent() []rules.Notification {
	n.mu.Lock()
	defer n.mu.Unlock()
	sent := n.sent
	n.sent = nil
	return sent
}

// Appender remembers series, with their whole label sets in Labels.
type Appender struct {
	mu       sync.Mutex // guards the fields below
	appended []rules.Series
	flushes  int
	err      error
	onFlush  func(context.Context) error
	onAppend func(context.Context) error
}

var _ rules.Appender = (*Appender)(nil)

// Append implements rules.Appender.
func (a *Appender) Append(ctx context.Context, batch []rules.Series) error {
	a.mu.Lock()
	hook := a.onAppend
	a.mu.Unlock()
	if hook != nil {
		if err := hook(ctx); err != nil {
			return err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return a.err
	}
	for _, s := range batch {
		a.appended = append(a.appended, rules.Series{Labels: s.Full(), T: s.T, V: s.V})
	}
	return nil
}

// Flush implements rules.Appender.
func (a *Appender) Flush(ctx context.Context) error {
	a.mu.Lock()
	a.flushes++
	f := a.onFlush
	a.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(ctx)
}

// OnFlush has f called by Flush; it may block.
func (a *Appender) OnFlush(f func(context.Context) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.onFlush = f
}

// OnAppend has f called by Append; it may block, and its error is Append's.
func (a *Appender) OnAppend(f func(context.Context) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.onAppend = f
}

// Fail makes Append return err, or accept again if err is nil.
func (a *Appender) Fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = err
}

// Flushes returns how often Flush was called.
func (a *Appender) Flushes() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.flushes
}

// Appended returns the series so far, and forgets them.
func (a *Appender) Appended() []rules.Series {
	a.mu.Lock()
	defer a.mu.Unlock()
	appended := a.appended
	a.appended = nil
	return appended
}

// Templates expands texts in a small language of its own: "{{value}}" is the
// value, "$label:x" the label x, "{{fail}}" an error, and anything else itself.
// "{{bad}}" does not compile.
type Templates struct{ Version byte }

var _ rules.TemplateCompiler = Templates{}

// CompileLabels implements rules.TemplateCompiler.
func (Templates) CompileLabels(texts []config.Pair) (rules.Template, error) { return compile(texts) }

// Digest differs between versions.
func (t Templates) Digest() (d [sha256.Size]byte) { d[0] = t.Version; return d }

// CompileAnnotations implements rules.TemplateCompiler.
func (Templates) CompileAnnotations(texts []config.Pair) (rules.Template, error) {
	return compile(texts)
}

func compile(texts []config.Pair) (rules.Template, error) {
	for _, t := range texts {
		if t.Value == "{{bad}}" {
			return template(texts), fmt.Errorf("%s: bad template", t.Name)
		}
	}
	return template(texts), nil
}

type template []config.Pair

// Uses implements rules.Template.
func (t template) Uses() (u rules.TemplateUse) {
	for _, p := range t {
		switch p.Value {
		case "{{value}}":
			u |= rules.UsesValue
		case "{{activeAt}}":
			u |= rules.UsesActiveAt
		case "{{query}}":
			u |= rules.UsesWorld
		}
	}
	return u
}

// Expand implements rules.Template.
func (t template) Expand(ctx context.Context, d *rules.TemplateData) ([]string, error) {
	out := make([]string, len(t))
	var err error
	for i, p := range t {
		switch {
		case p.Value == "{{value}}":
			out[i] = fmt.Sprint(d.Value)
		case p.Value == "{{activeAt}}":
			out[i] = d.ActiveAt.Format("15:04:05")
		case p.Value == "{{query}}":
			samples, failed := d.Query(ctx, "template query")
			err = errors.Join(err, failed)
			out[i] = fmt.Sprint(len(samples))
		case p.Value == "{{fail}}", p.Value == "{{bad}}":
			failed := fmt.Errorf("%s: template failed", p.Name)
			err = errors.Join(err, failed)
			out[i] = failed.Error()
		case strings.HasPrefix(p.Value, "{{label:"):
			out[i] = d.Labels.Get(strings.TrimSuffix(p.Value[len("{{label:"):], "}}"))
		default:
			out[i] = p.Value
		}
	}
	return out, err
}

// Hang has every query wait until its context is done.
func (d *Datasource) Hang() {
	d.Hook(func(ctx context.Context, _ rules.Query) error {
		<-ctx.Done()
		return ctx.Err()
	})
}
