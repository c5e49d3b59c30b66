package rules

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

// ruleTexts is what an alerting rule gives to the alerts it makes: labels and
// annotations.
type ruleTexts struct {
	names  []string // of the labels it sets
	values []string // of the same, where they are the same for every alert
	// labels expands all but the last of values; nil when none is a template.
	labels        Template
	labelUses     TemplateUse
	configuration uint64 // tells whether names and texts are those of another ruleTexts

	annotations    Template // nil when there are none
	annotationUses TemplateUse

	// Owned by the evaluation: whether a template failed in the last round.
	labelsFailed, annotationsFailed bool
}

// newRuleTexts compiles the texts of r. With an error, which joins those of all
// templates, they are usable nevertheless.
func newRuleTexts(env *groupEnv, r *config.Rule) (*ruleTexts, error) {
	own := mergePairs(env.shared, r.Labels)
	t := &ruleTexts{names: make([]string, 0, len(own)+2), values: make([]string, 0, len(own)+2)}
	for _, p := range own {
		t.set(p.Name, p.Value)
	}
	var labelErr, annotationErr error
	if slices.ContainsFunc(own, func(p config.Pair) bool { return isTemplate(p.Value) }) {
		t.labels, labelErr = env.deps.Templates.CompileLabels(own)
		t.labelUses = t.labels.Uses()
	}
	t.set(alertnameLabel, r.Name)
	if !env.deps.Options.DisableAlertgroup {
		t.set(alertgroupLabel, env.group.Key.Name)
	}
	if len(r.Annotations) > 0 {
		t.annotations, annotationErr = env.deps.Templates.CompileAnnotations(r.Annotations)
		t.annotationUses = t.annotations.Uses()
	}
	return t, errors.Join(labelErr, annotationErr)
}

// set adds a label with its text.
func (t *ruleTexts) set(name, value string) {
	t.names, t.values = append(t.names, name), append(t.values, value)
	h := fnv(t.configuration)
	if h == 0 {
		h = newFNV()
	}
	t.configuration = uint64(h.add(name).add("\xff").add(value).add("\xff"))
}

// isTemplate reports whether a text may differ from one alert to another.
func isTemplate(text string) bool { return strings.Contains(text, "{{") }

// expandLabels returns the values of names for one alert.
func (t *ruleTexts) expandLabels(ctx context.Context, d *TemplateData) ([]string, error) {
	if t.labels == nil {
		return t.values, nil
	}
	values, err := t.labels.Expand(ctx, d)
	return append(values, t.values[len(values):]...), err
}

// annotate expands the annotations of one alert. A text that fails is its error.
func (t *ruleTexts) annotate(ctx context.Context, d *TemplateData, pairs []config.Pair, b *labels.ScratchBuilder) (labels.Labels, error) {
	values, err := t.annotations.Expand(ctx, d)
	b.Reset()
	for i := range pairs {
		b.Add(pairs[i].Name, values[i])
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
