package rules

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

// alertingRule turns every result of an expression into an alert.
type alertingRule struct {
	group   *config.Group
	groupID uint64
	rule    *config.Rule
	opts    *Options
	link    Linker
	policy  policy

	names       []string // of the labels it sets, in the order of labelTpl's values
	fixed       []string // values of names after those that labelTpl expands
	labelTpl    Template // nil when the rule sets no labels of its own
	labelUses   TemplateUse
	annotations annotator
	labelled    labels.Labels // the configuration of names, to notice an edit

	// Owned by the evaluation.
	labelsFailed bool // a label's template did, in the last round
	scratch      *scratch
}

func newAlertingRule(g *config.Group, r *config.Rule, d *Deps) (*alertingRule, error) {
	ar := &alertingRule{
		group: g, groupID: g.ID(), rule: r, opts: &d.Options, link: d.Link,
		policy: policy{holdFor: r.For, keepFiring: r.KeepFiringFor},
	}
	texts := mergePairs(d.Options.ExternalLabels, g.Labels, r.Labels)
	for _, p := range texts {
		ar.names = append(ar.names, p.Name)
	}
	ar.addFixed(alertnameLabel, r.Name)
	if !d.Options.DisableAlertgroup {
		ar.addFixed(alertgroupLabel, g.Key.Name)
	}
	ar.labelled = ar.labelConfiguration(texts)

	var errs []error
	if len(texts) > 0 {
		tpl, err := d.Templates.CompileLabels(texts)
		errs = append(errs, err)
		ar.labelTpl, ar.labelUses = tpl, tpl.Uses()
	}
	var err error
	ar.annotations, err = newAnnotator(r.Annotations, d.Templates)
	errs = append(errs, err)
	return ar, errors.Join(errs...)
}

func (r *alertingRule) addFixed(name, value string) {
	r.names = append(r.names, name)
	r.fixed = append(r.fixed, value)
}

// labelConfiguration returns everything that decides how a result is labelled.
func (r *alertingRule) labelConfiguration(texts []config.Pair) labels.Labels {
	b := labels.NewScratchBuilder(len(r.names))
	for _, p := range texts {
		b.Add(p.Name, p.Value)
	}
	for i, v := range r.fixed {
		b.Add(r.names[len(texts)+i], v)
	}
	return b.Labels()
}

func (r *alertingRule) eval(ctx context.Context, ev evaluation, m ruleMemory) (ruleMemory, output, error) {
	res, err := ev.query(ctx, newQuery(r.group, r.rule, ev.at.Time()))
	if errors.Is(err, errCutShort) {
		return m, output{}, err
	}
	r.scratch = takeScratch()
	defer r.putScratch()
	out := output{fetched: -1}
	if err == nil {
		out = output{samples: len(res.Samples), fetched: res.SeriesFetched, partial: res.Partial}
		var round alertRound
		round, err = r.advance(ctx, ev, m, res)
		if err == nil {
			r.publish(&round, &out)
			m.alerts, m.labelled = round.alerts, r.labelled
			m.lastAt, m.failingSince = ev.at, 0
			return m, out, round.templateErr
		}
		if errors.Is(err, errCutShort) {
			return m, output{}, err
		}
	}
	m = r.fail(ev, m, &out)
	return m, out, err
}

func (r *alertingRule) putScratch() {
	r.scratch.release()
	r.scratch = nil
}

// fail keeps the alerts as they are and goes on telling those that fire, so
// that they do not expire at Alertmanager while the rule cannot be evaluated.
func (r *alertingRule) fail(ev evaluation, m ruleMemory, out *output) ruleMemory {
	if m.failingSince == 0 {
		m.failingSince = ev.at
	}
	if ev.at.Sub(m.failingSince) >= r.opts.ErrorResend {
		return m
	}
	m.alerts = append([]Instance(nil), m.alerts...)
	for i := range m.alerts {
		a := &m.alerts[i]
		if a.State == Firing && a.due(ev.at, a.State, r.opts.ResendDelay) {
			a.LastSent = ev.at
			out.alerts = append(out.alerts, r.alert(a, ev.now))
		}
	}
	return m
}

// relabelled returns the alerts of a rule whose labels were edited under the
// labels they have now, and those that are not alerts any more under the old.
// A clock goes with the result it belongs to.
func (r *alertingRule) relabelled(ctx context.Context, ev evaluation, m ruleMemory) (alerts, gone []Instance) {
	if m.labelled.IsEmpty() || m.labelled == r.labelled {
		return m.alerts, nil
	}
	taken := make(map[labels.Labels]struct{}, len(m.alerts))
	for _, a := range m.alerts {
		l, _ := r.labels(ctx, ev, a.Result, a.Value)
		if l == a.Labels {
			taken[l] = struct{}{}
			alerts = append(alerts, a)
			continue
		}
		gone = append(gone, a)
		if _, dup := taken[l]; dup || a.State == Inactive {
			continue
		}
		taken[l] = struct{}{}
		a.Labels, a.ID, a.LastSent = l, alertID(l), 0
		alerts = append(alerts, a)
	}
	return alerts, gone
}

// labels returns the labels of the alert that a result stands for. A label whose
// template fails has the error as its value; the errors are returned as well.
func (r *alertingRule) labels(ctx context.Context, ev evaluation, result labels.Labels, v float64) (labels.Labels, error) {
	values := r.fixed
	var err error
	if r.labelTpl != nil {
		d := TemplateData{Labels: TemplateLabels{Result: result}, Value: v, Expr: r.rule.Expr, Query: r.queryFor(ev)}
		values, err = r.labelTpl.Expand(ctx, &d)
		values = append(values, r.fixed...)
	}
	r.scratch.set(r.opts.Conflict, result, r.names, values)
	return r.scratch.unnamed(), err
}

// queryFor returns the query function of templates: at the time of the
// evaluation, of the group's datasource.
func (r *alertingRule) queryFor(ev evaluation) func(context.Context, string) ([]Sample, error) {
	return func(ctx context.Context, expr string) ([]Sample, error) {
		q := newQuery(r.group, r.rule, ev.at.Time())
		q.Expr = expr
		res, err := ev.query(ctx, q)
		return res.Samples, err
	}
}

// alert returns a as Alertmanager is to see it, told at now.
func (r *alertingRule) alert(a *Instance, now Instant) Alert {
	out := Alert{
		Labels: a.Labels, Annotations: a.Annotations,
		StartsAt: a.StartsAt.Time(), GeneratorURL: r.link(r.group, r.rule, a),
	}
	if a.State == Firing {
		out.EndsAt = now.Add(r.opts.resolveDuration(r.group.Interval)).Time()
		return out
	}
	out.Resolved, out.EndsAt = true, a.ResolvedAt.Time()
	return out
}

// resolveDuration is how long a firing alert that is not told again lives.
func (o *Options) resolveDuration(interval time.Duration) time.Duration {
	d := 4 * max(interval, o.ResendDelay)
	if o.MaxResolveDuration > 0 {
		d = min(d, o.MaxResolveDuration)
	}
	return d
}

// farewell resolves the alerts of a rule that is gone and ends their series.
func (r *alertingRule) farewell(m ruleMemory, now Instant) output {
	r.scratch = takeScratch()
	defer r.putScratch()
	var out output
	at := m.lastAt.Milli() + 1
	for i := range m.alerts {
		r.depart(&m.alerts[i], now, at, &out)
	}
	return out
}

// depart tells the world that an alert exists no longer: its series end at the
// time at, in milliseconds, and if it fires it is resolved now.
func (r *alertingRule) depart(a *Instance, now Instant, at int64, out *output) {
	if a.State == Inactive {
		return
	}
	out.series = append(out.series,
		stale(r.scratch.alerts(a.Labels, a.State), at),
		stale(r.scratch.forState(a.Labels), at))
	if a.State == Firing {
		gone := *a
		gone.State, gone.ResolvedAt = Inactive, now
		out.alerts = append(out.alerts, r.alert(&gone, now))
	}
}

// templateError says of which alert a template failed.
func templateError(l labels.Labels, err error) error {
	return fmt.Errorf("template of alert %s: %w", l, err)
}
