package rules

import (
	"context"
	"errors"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

// ruleTexts is what an alerting rule gives to the alerts it makes: labels and
// annotations.
type ruleTexts struct {
	names     []string // of the labels it sets: those of labels, then those of fixed
	labels    Template // nil when there are none but the fixed
	labelUses TemplateUse
	fixed     []string
	// configuration is everything that decides how a result is labelled, to
	// notice an edit.
	configuration labels.Labels

	annotationNames []string // sorted
	annotations     Template // nil when there are none
	annotationUses  TemplateUse

	// Owned by the evaluation: whether a template failed in the last round.
	labelsFailed, annotationsFailed bool
}

// newRuleTexts compiles the texts of r. With an error, which joins those of all
// templates, they are usable nevertheless.
func newRuleTexts(env *groupEnv, r *config.Rule) (*ruleTexts, error) {
	t := new(ruleTexts)
	own := mergePairs(env.shared, r.Labels)
	var labelErr, annotationErr error
	if len(own) > 0 {
		t.labels, labelErr = env.deps.Templates.CompileLabels(own)
		t.labelUses = t.labels.Uses()
	}
	if len(r.Annotations) > 0 {
		t.annotations, annotationErr = env.deps.Templates.CompileAnnotations(r.Annotations)
		t.annotationUses = t.annotations.Uses()
	}
	fixed := []config.Pair{{Name: alertnameLabel, Value: r.Name}}
	if !env.deps.Options.DisableAlertgroup {
		fixed = append(fixed, config.Pair{Name: alertgroupLabel, Value: env.group.Key.Name})
	}
	b := labels.NewScratchBuilder(len(own) + len(fixed))
	for _, p := range own {
		t.names = append(t.names, p.Name)
		b.Add(p.Name, p.Value)
	}
	for _, p := range fixed {
		t.names, t.fixed = append(t.names, p.Name), append(t.fixed, p.Value)
		b.Add(p.Name, p.Value)
	}
	t.configuration = b.Labels()
	for _, p := range r.Annotations {
		t.annotationNames = append(t.annotationNames, p.Name)
	}
	return t, errors.Join(labelErr, annotationErr)
}

// annotate expands the annotations of one alert. A text that fails is its error.
func (t *ruleTexts) annotate(ctx context.Context, d *TemplateData, b *labels.ScratchBuilder) (labels.Labels, error) {
	values, err := t.annotations.Expand(ctx, d)
	b.Reset()
	for i, name := range t.annotationNames {
		b.Add(name, values[i])
	}
	return b.Labels(), err
}

// templateData returns what the annotations of a see.
func (r *alertingRule) templateData(ev evaluation, a *Instance, partial bool) TemplateData {
	return TemplateData{
		Labels: TemplateLabels{Result: a.Result, Alert: a.Labels, Added: r.texts.names},
		Value:  a.Value, Type: r.group.Type, Expr: r.rule.Expr,
		Interval: r.group.Interval, For: r.rule.For,
		ActiveAt: a.ActiveAt.Time(), AlertID: a.ID, GroupID: r.groupID,
		Partial: partial, Query: r.queryFor(ev),
	}
}
