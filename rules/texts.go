package rules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

// ruleTexts is what an alerting rule gives to the alerts it makes: labels and
// annotations.
type ruleTexts struct {
	labels        Template // nil when no label is a template
	labelUses     TemplateUse
	configuration uint64 // tells whether labels are given like those of another rule

	annotations    Template // nil when there are none
	annotationUses TemplateUse

	// Owned by the evaluation.
	labelsFailed, annotationsFailed bool     // whether a template failed in the last good one
	scratch                         *scratch // during one
	queryErr                        error    // of the last query that failed since labels were begun
}

// newRuleTexts compiles the texts of r. With an error, which joins those of all
// templates, they are usable nevertheless.
func newRuleTexts(env *groupEnv, r *RuleIdentity) (*ruleTexts, error) {
	t := &ruleTexts{configuration: labelConfiguration(env, r)}
	var labelErr, annotationErr error
	if templated(r.Labels) {
		t.labels, labelErr = env.deps.Templates.CompileLabels(r.Labels)
		t.labelUses = t.labels.Uses()
	}
	if annotations := r.Rule.Annotations; len(annotations) > 0 {
		t.annotations, annotationErr = env.deps.Templates.CompileAnnotations(annotations)
		t.annotationUses = t.annotations.Uses()
	}
	return t, errors.Join(labelErr, annotationErr)
}

// labelConfiguration returns a hash of everything that decides how a result is
// labelled; never 0.
func labelConfiguration(env *groupEnv, r *RuleIdentity) uint64 {
	h := newFNV()
	for _, p := range r.Labels {
		h = h.add(p.Name).add("\xff").add(p.Value).add("\xff")
	}
	if templated(r.Labels) {
		digest := env.deps.Templates.Digest()
		h = h.add(string(digest[:]))
	}
	h = h.add(r.Rule.Name)
	if !env.deps.Options.DisableAlertgroup {
		h = h.add("\xff").add(env.group.Key.Name)
	}
	return max(uint64(h), 1)
}

func templated(pairs []config.Pair) bool {
	return slices.ContainsFunc(pairs, func(p config.Pair) bool { return isTemplate(p.Value) })
}

// isTemplate reports whether a text may differ from one alert to another.
func isTemplate(text string) bool { return strings.Contains(text, "{{") }

// expandLabels returns the values of the rule's labels for one alert; nil means
// that they are as written.
func (t *ruleTexts) expandLabels(ctx context.Context, d *TemplateData) ([]string, error) {
	if t.labels == nil {
		return nil, nil
	}
	return t.labels.Expand(ctx, d)
}

// queryFailure returns why labels, the computing of which has just failed, are not
// known: the evaluation was cut short, or the datasource is at fault, and neither
// must give alerts other labels. If it is nil, a template failed by itself.
func (t *ruleTexts) queryFailure(ctx context.Context) error {
	if err := cutShort(ctx); err != nil {
		return err
	}
	if t.queryErr != nil {
		return fmt.Errorf("query of a label: %w", t.queryErr)
	}
	return nil
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
		Labels: TemplateLabels{Result: a.Result, Alert: a.Labels, Added: r.Labels},
		Value:  a.Value, Type: r.group.Type, Expr: r.Rule.Expr,
		Interval: r.group.Interval, For: r.Rule.For,
		ActiveAt: a.ActiveAt.Time(), AlertID: a.ID, GroupID: r.groupID,
		Partial: partial, Query: r.queryFor(ev),
	}
}
