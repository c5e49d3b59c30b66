package rules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// alertingRule turns every result of an expression into an alert.
type alertingRule struct {
	*groupEnv
	*RuleIdentity

	// Owned by the evaluation.
	texts *ruleTexts // nil until there was a result
}

// newAlertingRule checks the templates of r. They are made ready for use when
// there is a first result: most rules never have one.
func newAlertingRule(env *groupEnv, r *RuleIdentity) (*alertingRule, error) {
	_, err := newRuleTexts(env, r)
	return &alertingRule{groupEnv: env, RuleIdentity: r}, err
}

func (r *alertingRule) policy() policy {
	return policy{holdFor: r.Rule.For, keepFiring: r.Rule.KeepFiringFor}
}

// begin makes ready what giving labels and annotations takes.
func (r *alertingRule) begin() {
	if r.texts == nil {
		// The errors were reported when the rule was built.
		r.texts, _ = newRuleTexts(r.groupEnv, r.RuleIdentity)
	}
	r.texts.scratch = takeScratch()
}

// asksForLabels reports whether labels are asked of the datasource, or depend on
// the clock.
func (r *alertingRule) asksForLabels() bool {
	if !templated(r.Labels) {
		return false
	}
	r.begin()
	defer r.end()
	return r.texts.labelUses&UsesWorld != 0
}

func (r *alertingRule) end() {
	r.texts.scratch.release()
	r.texts.scratch = nil
}

func (r *alertingRule) apply(ctx context.Context, ev evaluation, m RuleMemory, res Result, err error) (RuleMemory, output, error) {
	if errors.Is(err, errCutShort) {
		return m, output{}, err
	}
	out := output{fetched: -1}
	if err == nil {
		out = output{samples: len(res.Samples), fetched: res.SeriesFetched, partial: res.Partial}
		if len(res.Samples) == 0 && len(m.Alerts()) == 0 {
			m.lastAt, m.failingSince, out.good = ev.at, 0, true
			return m, out, nil
		}
	}
	r.begin()
	defer r.end()
	if err == nil {
		var round alertRound
		round, err = r.advance(ctx, ev, m, res)
		if err == nil {
			r.publish(&round, &out)
			m.alerted(round.alerts, r.texts.configuration)
			m.lastAt, m.failingSince, out.good = ev.at, 0, true
			return m, out, round.templateErr
		}
		if errors.Is(err, errCutShort) {
			return m, output{}, err
		}
	}
	if !ev.quiet {
		m = r.fail(ev, m, &out)
	}
	return m, out, err
}

// fail keeps the alerts as they are and goes on telling those that fire, so
// that they do not expire at Alertmanager while the rule cannot be evaluated.
func (r *alertingRule) fail(ev evaluation, m RuleMemory, out *output) RuleMemory {
	if m.failingSince == 0 {
		m.failingSince = ev.at
	}
	if ev.at.Sub(m.failingSince) >= r.deps.Options.ErrorResend {
		return m
	}
	alerts := slices.Clone(m.Alerts())
	for i := range alerts {
		a := &alerts[i]
		if a.State == Firing && a.due(ev.at, a.State, r.deps.Options.ResendDelay) {
			again := a.LastSent != 0
			a.LastSent = ev.at
			out.alerts = append(out.alerts, r.alert(a, ev.now))
			out.alerts[len(out.alerts)-1].Again = again
		}
	}
	m.alerted(alerts, m.heard().labelled)
	return m
}

// relabelled returns the alerts of a rule whose labels were edited under the
// labels they have now, and those that are not alerts any more under the old.
// A clock goes with the result it belongs to; of results that have the same
// labels now, with the one whose alert had them already, or else the first.
// moved tells which of alerts have other labels than before. An error is that of
// queryFailure: the labels are not known.
func (r *alertingRule) relabelled(ctx context.Context, ev evaluation, m RuleMemory) (alerts, gone []Instance, moved []bool, err error) {
	before, labelled := m.Alerts(), m.heard().labelled
	if labelled == 0 || labelled == r.texts.configuration {
		return before, nil, nil, nil
	}
	given := make([]labels.Labels, len(before))
	taken := make(map[labels.Labels]struct{}, len(before))
	for i := range before {
		a := &before[i]
		l, err := r.labels(ctx, ev, a.Result, a.Value)
		if err != nil {
			if failed := r.texts.queryFailure(ctx); failed != nil {
				return nil, nil, nil, failed
			}
		}
		given[i] = l
		if l == a.Labels {
			taken[a.Labels] = struct{}{}
		}
	}
	for i, a := range before {
		l := given[i]
		changed := l != a.Labels
		if changed {
			gone = append(gone, a)
			if _, dup := taken[l]; dup || a.State == Inactive {
				continue
			}
			taken[l] = struct{}{}
			a.Labels, a.ID, a.LastSent = l, alertID(l), 0
		}
		alerts, moved = append(alerts, a), append(moved, changed)
	}
	return alerts, gone, moved, nil
}

// relabels counts the alerts of prev that fire and get other labels from r, which
// is not in use yet. Labels that are asked of the datasource count as others.
func (r *alertingRule) relabels(prev rule, alerts []Instance, now Instant) int {
	p, ok := prev.(*alertingRule)
	if !ok || len(alerts) == 0 || labelConfiguration(r.groupEnv, r.RuleIdentity) == labelConfiguration(p.groupEnv, p.RuleIdentity) {
		return 0
	}
	r.begin()
	defer r.end()
	ask := func(context.Context, Query) (Result, error) { return Result{}, errNotAsked }
	ev := evaluation{at: now, now: now, query: ask}
	n := 0
	for i := range alerts {
		a := &alerts[i]
		if a.State != Firing {
			continue
		}
		if l, _ := r.labels(context.Background(), ev, a.Result, a.Value); l != a.Labels {
			n++
		}
	}
	return n
}

// errNotAsked is the answer to queries of templates that are expanded only to see
// what labels they would give.
var errNotAsked = errors.New("the datasource is not asked")

// labels returns the labels of the alert that a result stands for. A label whose
// template fails has the error as its value; the errors are returned as well.
func (r *alertingRule) labels(ctx context.Context, ev evaluation, result labels.Labels, v float64) (labels.Labels, error) {
	d := TemplateData{
		Labels: TemplateLabels{Result: result, Alert: r.tenant.labels, Added: r.tenant.pairs},
		Value:  v, Expr: r.Rule.Expr,
	}
	if r.texts.labelUses&UsesWorld != 0 {
		d.Query = r.queryFor(ev)
	}
	r.texts.queryErr = nil
	values, err := r.texts.expandLabels(ctx, &d)
	c := r.deps.Options.Conflict
	r.texts.scratch.start(result)
	r.texts.scratch.override(c, result, r.Labels, values)
	r.texts.scratch.put(c, result, r.Labels, alertnameLabel, r.Rule.Name)
	if !r.deps.Options.DisableAlertgroup {
		r.texts.scratch.put(c, result, r.Labels, alertgroupLabel, r.group.Key.Name)
	}
	return r.texts.scratch.unnamed(), err
}

// queryFor returns the query function of templates: at the time of the
// evaluation, of the group's datasource.
func (r *alertingRule) queryFor(ev evaluation) func(context.Context, string) ([]Sample, error) {
	return func(ctx context.Context, expr string) ([]Sample, error) {
		q := newQuery(r.group, r.Rule, ev.at.Time())
		q.Expr = expr
		res, err := ev.query(ctx, q)
		if err != nil {
			r.texts.queryErr = err
		}
		return res.Samples, err
	}
}

// alert returns a as Alertmanager is to see it, told at now.
func (r *alertingRule) alert(a *Instance, now Instant) Alert {
	out := Alert{
		Labels: a.Labels, Annotations: a.Annotations,
		StartsAt: a.StartsAt.Time(), GeneratorURL: r.link(r.Rule, a),
	}
	if a.State == Firing {
		out.EndsAt = now.Add(r.expiry()).Time()
		return out
	}
	// Alertmanager refuses an alert that ends before it starts, as one does when
	// the clock is set back.
	out.Resolved, out.EndsAt = true, max(a.ResolvedAt, a.StartsAt).Time()
	return out
}

// expiry is how long a firing alert of the rule that is not told again lives.
func (r *alertingRule) expiry() time.Duration {
	o := &r.deps.Options
	d := 4 * max(r.group.Interval, o.ResendDelay)
	if o.MaxResolveDuration > 0 {
		d = min(d, o.MaxResolveDuration)
	}
	return d
}

// farewell resolves the alerts of a rule that is gone and ends their series.
func (r *alertingRule) farewell(m RuleMemory, now Instant) output {
	var out output
	at := m.lastAt.Milli() + 1
	alerts := m.Alerts()
	for i := range alerts {
		r.depart(&alerts[i], Inactive, now, at, &out)
	}
	return out
}

// depart tells the world that an alert exists no longer, except for what another
// one with its labels, in the state still, goes on to tell: its series end at the
// time at, in milliseconds, and if it fires it is resolved now.
func (r *alertingRule) depart(a *Instance, still State, now Instant, at int64, out *output) {
	if a.State == Inactive {
		return
	}
	if still != a.State {
		out.series = append(out.series, alertSeries(a.Labels, a.State).ended(at))
	}
	if still == Inactive {
		out.series = append(out.series, clockSeries(a.Labels).ended(at))
	}
	if a.State == Firing && still != Firing {
		gone := *a
		gone.State, gone.ResolvedAt = Inactive, now
		out.alerts = append(out.alerts, r.alert(&gone, now))
	}
}

// templateError says of which alert a template failed.
func templateError(l labels.Labels, err error) error {
	return fmt.Errorf("template of alert %s: %w", l, err)
}
