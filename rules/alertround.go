package rules

import (
	"context"
	"math"

	"github.com/prometheus/prometheus/model/labels"
)

// alertRound is one evaluation of an alerting rule in the making.
type alertRound struct {
	ev   evaluation
	rule *alertingRule

	before []Instance // as they were; the first of alerts
	alerts []Instance
	was    []State // the state of each of alerts before the evaluation
	seen   []bool  // which of alerts are in the result
	stale  []bool  // which need their annotations expanded again
	gone   []Instance

	index  map[labels.Labels]int // of alerts by Labels; made when first needed
	cursor int                   // the alert that the next sample most likely is

	partial      bool
	labelsFailed bool
	templateErr  error // the first one; the alerts are good nevertheless
}

// advance applies a result to the alerts that m remembers. With an error nothing
// has changed.
func (r *alertingRule) advance(ctx context.Context, ev evaluation, m RuleMemory, res Result) (alertRound, error) {
	alerts, gone, moved, err := r.relabelled(ctx, ev, m)
	if err != nil {
		return alertRound{}, err
	}
	n := max(len(alerts), len(res.Samples))
	round := alertRound{
		ev: ev, rule: r, before: alerts, gone: gone, partial: res.Partial,
		alerts: append(make([]Instance, 0, n), alerts...),
		seen:   make([]bool, len(alerts), n),
		stale:  make([]bool, len(alerts), n),
		was:    make([]State, len(alerts), n),
	}
	for i := range alerts {
		// Under its new labels nobody knows an alert that was relabelled.
		if moved == nil || !moved[i] {
			round.was[i] = alerts[i].State
		}
	}
	for i := range res.Samples {
		if err := round.see(ctx, &res.Samples[i]); err != nil {
			return round, err
		}
	}
	round.step()
	if limit := r.group.Limit; limit > 0 {
		if active := round.active(); active > limit {
			return round, limitError(limit, active)
		}
	}
	r.texts.labelsFailed = round.labelsFailed
	if err := round.annotate(ctx); err != nil {
		return round, err
	}
	return round, cutShort(ctx)
}

// see finds or makes the alert of a sample.
func (o *alertRound) see(ctx context.Context, s *Sample) error {
	i, err := o.find(ctx, s)
	if err != nil {
		return err
	}
	if o.seen[i] {
		return duplicateError(o.alerts[i].Labels)
	}
	o.seen[i] = true
	a := &o.alerts[i]
	if differ(a.Value, s.V) && o.rule.texts.annotationUses&UsesValue != 0 {
		o.stale[i] = true
	}
	a.Value = s.V
	return nil
}

// find returns the position of the alert that s belongs to. The results of two
// rounds mostly come in the same order, so the alert after the last one found is
// tried before labels are computed and looked up.
func (o *alertRound) find(ctx context.Context, s *Sample) (int, error) {
	if i := o.cursor; i < len(o.before) && o.alerts[i].Result == s.Labels && o.sameLabels(i, s) {
		o.cursor++
		return i, nil
	}
	l, err := o.rule.labels(ctx, o.ev, s.Labels, s.V)
	if err != nil {
		if failed := o.rule.texts.queryFailure(ctx); failed != nil {
			return 0, failed
		}
		o.labelsFailed = true
		o.noteTemplateError(l, err)
	}
	if o.index == nil {
		o.index = make(map[labels.Labels]int, cap(o.alerts))
		for i := range o.alerts {
			o.index[o.alerts[i].Labels] = i
		}
	}
	i, ok := o.index[l]
	if !ok {
		return o.add(l, s.Labels), nil
	}
	if o.alerts[i].Result != s.Labels {
		o.alerts[i].Result = s.Labels
		o.stale[i] = true
	}
	o.cursor = i + 1
	return i, nil
}

// sameLabels reports whether the alert at i has the labels that s would give it
// without computing them, given that the results are alike. Of an alert that was
// not in the last result, it is not known how its labels came about.
func (o *alertRound) sameLabels(i int, s *Sample) bool {
	a, uses := &o.alerts[i], o.rule.texts.labelUses
	if a.State == Inactive || a.Stabilizing() {
		return false
	}
	if uses&UsesWorld != 0 || o.ev.first || o.rule.texts.labelsFailed {
		return false
	}
	return uses&UsesValue == 0 || !differ(a.Value, s.V)
}

// differ reports whether a and b are different values; NaN is like NaN.
func differ(a, b float64) bool {
	return a != b && (!math.IsNaN(a) || !math.IsNaN(b))
}

func (o *alertRound) add(l, result labels.Labels) int {
	i := len(o.alerts)
	o.alerts = append(o.alerts, Instance{Labels: l, Result: result, ID: alertID(l)})
	o.seen = append(o.seen, false)
	o.stale = append(o.stale, true)
	o.was = append(o.was, Inactive)
	o.index[l] = i
	return i
}

// step moves every alert on. Alerts that are dropped keep their place until
// publish has told of them.
func (o *alertRound) step() {
	policy := o.rule.policy()
	for i := range o.alerts {
		a := &o.alerts[i]
		next, keep := a.step(o.ev.at, o.seen[i], policy)
		neverTold := next.State == Inactive && next.LastSent == 0
		if !keep || neverTold {
			next = Instance{Labels: a.Labels}
		}
		// The rule may have been edited while only keep_firing_for held the alert.
		revived := a.State == Inactive && next.State != Inactive
		if next.ActiveAt != a.ActiveAt || a.Stabilizing() || revived {
			o.stale[i] = true
		}
		*a = next
	}
}

func (o *alertRound) active() int {
	n := 0
	for i := range o.alerts {
		if o.alerts[i].State != Inactive {
			n++
		}
	}
	return n
}

// annotate expands the annotations of the alerts in the result, where they can
// have changed.
func (o *alertRound) annotate(ctx context.Context) error {
	t := o.rule.texts
	if t.annotations == nil {
		return nil
	}
	every := o.ev.first || t.annotationsFailed || t.annotationUses&(UsesWorld|UsesPartial) != 0
	failed := false
	for i := range o.alerts {
		if !o.needsText(i, every) {
			continue
		}
		a := &o.alerts[i]
		d := o.rule.templateData(o.ev, a, o.partial)
		text, err := t.annotate(ctx, &d, o.rule.Rule.Annotations, &t.scratch.pairs)
		if err != nil {
			if cut := cutShort(ctx); cut != nil {
				return cut
			}
			failed = true
			o.noteTemplateError(a.Labels, err)
		}
		a.Annotations = text
	}
	t.annotationsFailed = failed
	return nil
}

// needsText reports whether the annotations of the alert at i are to be expanded,
// which every one in the result demands or not. Of a time past, only what is told
// is, and the present makes up for the others.
func (o *alertRound) needsText(i int, every bool) bool {
	switch {
	case o.alerts[i].ActiveAt == 0:
		return false
	case o.ev.quiet:
		return o.ends(i)
	case o.ev.caughtUp:
		return true
	}
	return o.seen[i] && (every || o.stale[i])
}

func (o *alertRound) noteTemplateError(l labels.Labels, err error) {
	if o.templateErr == nil {
		o.templateErr = templateError(l, err)
	}
}

func cutShort(ctx context.Context) error {
	if context.Cause(ctx) == errCutShort {
		return errCutShort
	}
	return nil
}
